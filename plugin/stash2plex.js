// Stash tells plugins nothing of a merge of scenes, an auto tag or a generated cover. They are mostly begun in this browser, so
// its pages now and then ask the plugin to look for such changes. Nothing of it shows.
(function () {
  "use strict";

  const EVERY = 5 * 60 * 1000;
  // Each request renews Stash's login, which must end when nobody is there.
  const AWAY = 30 * 60 * 1000;
  const MUTATION =
    'mutation { runPluginOperation(plugin_id: "Stash2Plex", args: { mode: "catch_up" }) }';

  let touched = Date.now();
  let asked = 0;

  async function ask() {
    asked = Date.now();
    try {
      const answer = await fetch(new URL("graphql", document.baseURI), {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ query: MUTATION }),
      });
      // Stash before 0.25 does not know such a call, and will not learn it before the page is loaded again.
      if (answer.status === 400 || answer.status === 422) clearInterval(timer);
    } catch {
      // Stash is away; the next time will do.
    }
  }

  function look() {
    const now = Date.now();
    const due = now - asked >= EVERY && now - touched < AWAY;
    if (due && document.visibilityState === "visible") ask();
  }

  for (const input of ["keydown", "pointerdown", "pointermove", "wheel"]) {
    addEventListener(input, () => (touched = Date.now()), { capture: true, passive: true });
  }
  document.addEventListener("visibilitychange", look);
  const timer = setInterval(look, 60 * 1000);
  ask();
})();

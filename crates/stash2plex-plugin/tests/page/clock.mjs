// Runs the page's script in a browser of a few lines, whose clock the test moves.
import assert from "node:assert";
import fs from "node:fs";
import vm from "node:vm";

const script = fs.readFileSync(process.argv[2], "utf8");

function open(status) {
  let now = 1e12, calls = 0, visible = "visible", every = [];
  const heard = {};
  vm.runInNewContext(script, {
    URL,
    Date: { now: () => now },
    setInterval: (run) => every.push(run),
    clearInterval: () => (every = []),
    addEventListener: (name, run) => (heard[name] = run),
    document: {
      baseURI: "http://stash/below/",
      get visibilityState() { return visible; },
      addEventListener: (name, run) => (heard[name] = run),
    },
    fetch: async (url, { method, body }) => {
      calls += 1;
      assert.equal(`${method} ${url}`, "POST http://stash/below/graphql");
      assert.match(JSON.parse(body).query, /runPluginOperation\(plugin_id: "Stash2Plex", args: \{ mode: "catch_up" \}\)/);
      if (status === "away") throw new Error("Stash is away");
      return { status };
    },
  });
  return {
    calls: () => calls,
    type: () => heard.keydown(),
    show: (how) => { visible = how; heard.visibilitychange(); },
    pass: async (minutes) => {
      for (let minute = 0; minute < minutes; minute += 1) {
        now += 60_000;
        every.forEach((run) => run());
        await new Promise(setImmediate);
      }
    },
  };
}

let page = open(200);
assert.equal(page.calls(), 1, "once when it loads");
await page.pass(4);
assert.equal(page.calls(), 1);
await page.pass(1);
assert.equal(page.calls(), 2, "then every five minutes");
await page.pass(600);
assert.equal(page.calls(), 6, "for half an hour without input");
page.type();
await page.pass(1);
assert.equal(page.calls(), 7);
page.show("hidden");
page.type();
await page.pass(20);
assert.equal(page.calls(), 7, "not while nobody sees it");
page.show("visible");
assert.equal(page.calls(), 8);

page = open(422);
await page.pass(20);
assert.equal(page.calls(), 1, "never again where Stash does not know the call");

page = open("away");
await page.pass(5);
assert.equal(page.calls(), 2, "again when Stash was away");

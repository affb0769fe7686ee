//! A proxy in front of Plex takes offence at the words of one edit.

use simulators::{Fault, Response, Rule};

use super::*;

const PAGE: &str =
    "<html>\n<head><title>403 Forbidden</title></head>\n<body>blocked by policy</body>\n</html>";

/// How many scenes there are, and how many of them a filter refuses.
struct Case {
    scenes: usize,
    refused: usize,
    answer: Response,
    why: &'static str,
}

fn forbidden() -> Response {
    Response::new(403, "text/html", PAGE)
}

#[test]
fn one_edit_that_a_filter_forbids_stops_no_other() {
    play(Case {
        scenes: 40,
        refused: 1,
        answer: forbidden(),
        why: "HTTP 403",
    });
}

/// More than open the circuit when they fail one after the other.
#[test]
fn nor_do_six() {
    play(Case {
        scenes: 60,
        refused: 6,
        answer: forbidden(),
        why: "HTTP 403",
    });
}

#[test]
fn one_edit_that_is_led_elsewhere_stops_no_other() {
    let mut answer = Response::new(302, "text/html", "moved");
    let to = "https://login.example/".to_owned();
    answer.headers.push(("Location".to_owned(), to));
    play(Case {
        scenes: 20,
        refused: 1,
        answer,
        why: "https://login.example",
    });
}

#[test]
fn one_edit_that_a_login_page_answers_stops_no_other() {
    play(Case {
        scenes: 20,
        refused: 1,
        answer: Response::new(200, "text/html", "<!DOCTYPE html><title>Log in</title>"),
        why: "not Plex answered (HTTP 200)",
    });
}

/// Plex answers an item's edits with 200 and carries none out. Once that was seen, the next is
/// looked at, too, though the library is known to keep such fields: nothing counts as written.
#[test]
fn an_edit_that_is_ignored_twice_is_not_called_written() {
    let plugin = installed(2, json!({}));
    let (stash, plex) = (&plugin.world.stash, &plugin.world.plex);
    let scene = plugin.world.scenes[0];
    stash.edit(scene).tags(&["One", "Other"]);
    save_all(&plugin);
    worked_off(&plugin);
    let item = plugin.world.items[0];
    let taken = Fault::Answer(Response::new(200, "application/xml", ""));
    plex.fail_when(Rule::new(taken).method("PUT").query(&format!("id={item}&")));
    let says = "Plex does not show what was sent of title";
    // A tag that goes is looked after in any case.
    let edits: [(&str, &[&str]); 2] = [("Once", &["One"]), ("Twice", &["One", "Other"])];
    for (nth, (title, tags)) in (1..).zip(edits) {
        stash.edit(scene).title(title).tags(tags);
        plugin.save(scene);
        worked_off(&plugin);
        assert_eq!(said(&plugin, says), nth, "{}", plugin.worker_log());
    }
    let wrote = format!("scene {scene}: wrote ");
    assert_eq!(said(&plugin, &wrote), 1, "by the first save");
    plex.clear_faults();
    plugin.task("reconcile_all");
    worked_off(&plugin);
    assert!(plugin.world.comparison().is_equal());
}

fn play(case: Case) {
    let plugin = installed(case.scenes, json!({}));
    let (stash, plex) = (&plugin.world.stash, &plugin.world.plex);
    let bad = &plugin.world.scenes[..case.refused];
    for scene in bad {
        stash
            .edit(*scene)
            .details("Hello <script>alert(1)</script>");
    }
    let filter = Rule::new(Fault::Answer(case.answer));
    plex.fail_when(filter.method("PUT").containing("%3Cscript"));
    save_all(&plugin);
    worked_off(&plugin);

    let equal = plugin.world.comparison().equal();
    assert_eq!(equal, case.scenes - case.refused);
    stayed_closed(&plugin);
    let letters = failed(&plugin);
    assert_eq!(letters.len(), case.refused, "{letters:?}");
    for letter in &letters {
        assert_eq!(letter.error_type, "PlexRefused");
        says(&letter.message, case.why);
    }
    let refused = plex.requests();
    let refused = refused.iter().filter(|one| one.contains("%3Cscript"));
    assert_eq!(refused.count(), 3 * case.refused, "three attempts each");
    assert_eq!(said(&plugin, "refuses the token"), 0);
    let (text, output) = told(&plugin, "queue_status");
    says(&text, case.why);
    let advice = output["queue"]["failed_jobs"][0]["advice"].as_str();
    says(advice.unwrap(), "shorten them and save it");

    // What the advice says.
    for scene in bad {
        stash.edit(*scene).details("Hello");
        plugin.save(*scene);
    }
    worked_off(&plugin);
    assert!(plugin.world.comparison().is_equal());
    assert_eq!(failed(&plugin).len(), 0);
}

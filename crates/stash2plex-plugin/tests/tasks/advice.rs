//! Every advice is followed, literally: what failed or waited is in Plex afterwards.

use simulators::{PlexServer, Response};

use super::*;

/// Something in the address's place that is not Plex, and answers everything with this.
fn impostor(plugin: &Installed, fault: Fault) -> PlexServer {
    let other = PlexServer::start().unwrap();
    other.fail_with(fault);
    plugin.set(json!({"plex_url": other.url()}));
    other
}

/// What is wrong, what Health Check says to do, and the doing of it. What a cause needs is kept
/// until the end.
struct Case {
    cause: fn(&Installed) -> Option<PlexServer>,
    advice: &'static str,
    follow: fn(&Installed),
}

fn corrected(plugin: &Installed) {
    plugin.set(json!({}));
}

const CASES: [Case; 14] = [
    Case {
        cause: |p| {
            p.world.plex.down();
            None
        },
        advice: "What to do: Start Plex Media Server",
        follow: |p| p.world.plex.up().unwrap(),
    },
    Case {
        cause: |p| {
            p.set(json!({"plex_url": p.world.plex.url().replace("http:", "https:")}));
            None
        },
        advice: "or http in place of https on the local network",
        follow: corrected,
    },
    Case {
        cause: |p| {
            p.set(json!({"plex_url": format!("http://{}.invalid", "x".repeat(64))}));
            None
        },
        advice: "use the IP address with http",
        follow: corrected,
    },
    Case {
        cause: |p| {
            p.set(json!({"plex_token": "no-token-of-this-server"}));
            None
        },
        advice: "What to do: Enter the token of the server's owner",
        follow: corrected,
    },
    Case {
        cause: |p| {
            let token = "guest-token-0123456789";
            p.world
                .plex
                .set(|options| options.guest_token = Some(token.to_owned()));
            p.set(json!({ "plex_token": token }));
            None
        },
        advice: "Enter the token of the server's owner",
        follow: corrected,
    },
    Case {
        cause: |p| {
            let mut page = Response::new(302, "text/html", "moved");
            page.headers
                .push(("Location".to_owned(), p.world.plex.url()));
            Some(impostor(p, Fault::Answer(page)))
        },
        advice: "Use the address it leads to",
        follow: corrected,
    },
    Case {
        cause: |p| Some(impostor(p, Fault::HtmlPage)),
        advice: "What to do: Check the address and the port",
        follow: corrected,
    },
    Case {
        cause: |p| Some(impostor(p, Fault::BadGateway)),
        advice: "or use its direct address",
        follow: corrected,
    },
    Case {
        cause: |p| {
            p.world.plex.fail_with(Fault::maintenance());
            None
        },
        advice: "What to do: Wait",
        follow: |p| p.world.plex.clear_faults(),
    },
    Case {
        cause: |p| {
            p.world.plex.fail_with(Fault::Unavailable);
            None
        },
        advice: "Wait; if it stays, restart Plex Media Server",
        follow: |p| {
            p.world.plex.down();
            p.world.plex.clear_faults();
            p.world.plex.up().unwrap();
        },
    },
    Case {
        cause: |p| {
            p.save_and_wait(p.world.scenes[0]);
            p.world
                .plex
                .set(|options| options.machine_identifier = "c".repeat(40));
            None
        },
        advice: "if this is your new server, run the task Clear Match Cache",
        follow: |p| drop(p.task("clear_match_cache")),
    },
    Case {
        cause: |p| {
            p.set(json!({"plex_library": "Szenen"}));
            None
        },
        advice: "it has \"Scenes\". Correct Plex libraries (plex_library)",
        follow: corrected,
    },
    Case {
        cause: |p| {
            p.set(json!({"plex_url": "", "plex_token": "short"}));
            None
        },
        advice: "Plex address (plex_url): it is empty; enter the address of Plex",
        follow: corrected,
    },
    Case {
        cause: |p| {
            p.set(json!({"enabled": false}));
            None
        },
        advice: "Turn it on under Settings › Plugins › Stash2Plex, then run the task Process Queue",
        follow: corrected,
    },
];

#[test]
fn the_advice_of_health_check_works() {
    for case in CASES {
        let plugin = Installed::with(2, json!({"idle_timeout": 0.1}));
        let _kept = (case.cause)(&plugin);
        let mut queue = jobs(&plugin);
        for scene in plugin.world.scenes.clone() {
            enqueue(&mut queue, scene);
        }
        let (text, _) = look(&plugin, "health_check");
        says(&text, case.advice);
        says(
            &text,
            "the next change in Stash starts one, or the task Process Queue",
        );
        (case.follow)(&plugin);
        plugin.task("process_queue");
        plugin.until_equal();
        plugin.until("done", || queue.counts().unwrap().live() == 0);
        assert_eq!(queue.counts().unwrap().dead, 0, "{}", case.advice);
        plugin.until_no_worker();
    }
}

/// What failed is done, and no longer counts as failed, after what the text says.
#[test]
fn the_advice_for_what_failed_works() {
    type Deed = fn(&Installed);
    let retry: Deed = |p| {
        answered(&p.task("retry_failed"));
        p.task("process_queue");
    };
    let save: Deed = |p| drop(p.save(p.world.scenes[0]));
    let cases: [(&str, &[&str], Deed); 8] = [
        ("InvalidScene", &["a save tries again"], save),
        (
            "NotInPlex",
            &["path_map", "Scan the library", "run Retry Failed Changes"],
            retry,
        ),
        (
            "LowConfidence",
            &["path_map", "run Retry Failed Changes"],
            retry,
        ),
        ("PlexRefused", &["shorten them and save it"], save),
        (
            "PlexFailing",
            &["when it is well again, run Retry Failed Changes"],
            retry,
        ),
        (
            "UnreadableItem",
            &["refresh its metadata in Plex, then save the scene"],
            save,
        ),
        (queue::OWNER_DIED, &["Save the scene"], save),
        (
            queue::UNDECODABLE,
            &["Run Reconcile All Scenes, ", "then Clear Failed Changes"],
            |p| {
                answered(&p.task("reconcile_all"));
                p.until_equal();
                answered(&p.task("clear_dlq"));
            },
        ),
    ];
    for (kind, advice, follow) in cases {
        let plugin = Installed::with(1, json!({"path_map": "", "idle_timeout": 0.1}));
        let mut queue = jobs(&plugin);
        die(&mut queue, plugin.world.scenes[0], kind);
        let (text, output) = look(&plugin, "queue_status");
        // For scripts there is the answer in JSON.
        assert!(!text.contains(kind), "a code word for a person: {text}");
        assert_eq!(text.matches("What to do").count(), 1, "{text}");
        for words in advice {
            says(&text, words);
            says(
                output["queue"]["failed_jobs"][0]["advice"]
                    .as_str()
                    .unwrap(),
                words,
            );
        }
        plugin.set(json!({"idle_timeout": 0.1}));
        follow(&plugin);
        plugin.until_equal();
        plugin.until("forgotten", || queue.counts().unwrap().dead == 0);
        plugin.until_no_worker();
    }
}

/// The rule that scenes speak for, added to the path map, is the right one: none is suggested any
/// more.
#[test]
fn the_suggested_path_map_works() {
    let plugin = Installed::with(0, json!({"path_map": "", "idle_timeout": 0.1}));
    let (stash, plex) = (&plugin.world.stash, &plugin.world.plex);
    let items = ["one", "two", "three"].map(|name| {
        let scene = stash.add_scene(&format!("/data/a/{name}.mp4"));
        stash.edit(scene).title(&format!("Title of {name}"));
        let file = stash.scene(scene).unwrap().files[0].clone();
        let part = simulators::Part {
            file: format!("/media/scenes/a/{name}.mp4"),
            size: file.size,
            duration: (file.duration * 1e3) as u64,
        };
        plugin.save(scene);
        (
            plex.add_part(plugin.world.section, part),
            format!("Title of {name}"),
        )
    });
    plugin.until("synced", || {
        let mut items = items.iter();
        items.all(|(item, title)| plex.item(*item).unwrap().title() == title)
    });
    plugin.until_no_worker();
    let (text, output) = look(&plugin, "health_check");
    says(
        &text,
        "i Path map (path_map): /data=>/media/scenes is suggested, seen on 3 scenes",
    );
    let rule = output["path_hints"][0]["rule"].as_str().unwrap();
    plugin.set(json!({"path_map": rule, "idle_timeout": 0.1}));
    answered(&plugin.task("all"));
    plugin.until("no longer suggested", || {
        let queue = plugin.queue();
        ledger::path_hints(queue.sql()).unwrap().is_empty()
    });
    plugin.until_no_worker();
    assert!(!look(&plugin, "health_check").0.contains("suggested"));
}

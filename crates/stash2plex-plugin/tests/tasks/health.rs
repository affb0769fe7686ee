//! Health Check: what a user reads in each state of the circuit and for each verdict on Plex.

use super::*;

/// One line of the table of verdicts: how Plex is made so, the verdict's name, and what a user
/// reads.
type Case = (fn(&Installed), &'static str, &'static str, &'static str);

const CASES: [Case; 13] = [
    (
        |p| p.world.plex.clear_faults(),
        "healthy",
        "i Plex: healthy, responded in ",
        "",
    ),
    (
        |p| p.world.plex.fail_with(Fault::maintenance()),
        "starting",
        "w Plex: starting or in maintenance: Plex Media Server is currently running database migrations.",
        "What to do: Wait: this takes seconds",
    ),
    (
        |p| p.world.plex.fail_with(Fault::StartingUp),
        "starting",
        "w Plex: starting or in maintenance: ",
        "What to do: Wait: ",
    ),
    (
        |p| p.world.plex.fail_with(Fault::Unauthorized),
        "guarded",
        "w Plex: guarded: a proxy in front of Plex wants a login of its own (HTTP 401)",
        "What to do: The token has nothing to do with it",
    ),
    (
        |p| {
            let refused = Rule::new(Fault::Unauthorized).path("/library");
            p.world.plex.fail_when(refused);
        },
        "unauthorized",
        "w Plex: unauthorized: the token was refused (HTTP 401)",
        "What to do: Enter the token of the server's owner",
    ),
    (
        |p| p.world.plex.fail_with(Fault::BadGateway),
        "gateway",
        "w Plex: down behind its proxy: the proxy answered HTTP 502",
        "What to do: The reverse proxy works",
    ),
    (
        |p| p.world.plex.fail_with(Fault::Unavailable),
        "overloaded",
        "w Plex: overloaded: Plex answered HTTP 503",
        "What to do: Plex is overloaded",
    ),
    (
        |p| p.world.plex.fail_with(Fault::Truncated),
        "garbled",
        "w Plex: garbled: the answer was incomplete",
        "What to do: Plex is probably restarting",
    ),
    (
        |p| p.world.plex.fail_with(Fault::BrokenDocument),
        "garbled",
        "w Plex: garbled: the answer was incomplete",
        "What to do: Plex is probably restarting",
    ),
    (
        |p| p.world.plex.fail_with(Fault::HtmlPage),
        "not_plex",
        "w Plex: not Plex: something else answered (HTTP 200)",
        "What to do: Check the address and the port",
    ),
    (
        |p| p.world.plex.down(),
        "unreachable",
        "w Plex: unreachable: connection refused",
        "What to do: Start Plex Media Server",
    ),
    (
        |p| p.set(json!({"plex_url": p.world.plex.url().replace("http:", "https:")})),
        "unreachable",
        "w Plex: unreachable: the TLS handshake failed",
        "What to do: If the port speaks plain http, write http://",
    ),
    // No name server is asked for a label of 64 letters.
    (
        |p| p.set(json!({"plex_url": format!("http://{}.invalid", "x".repeat(64))})),
        "unreachable",
        "w Plex: unreachable: the host name does not resolve",
        "What to do: Check the host name",
    ),
];

const GUIDE: &str = include_str!("../../../../docs/health.md");

/// Every verdict in one state of the breaker's file.
fn table(file: Option<String>, state: &str, words: &str) {
    let plugin = Installed::new(1);
    if let Some(file) = file {
        set_breaker(&plugin, file);
    }
    for (make, verdict, line, hint) in CASES {
        plugin.set(json!({}));
        plugin.world.plex.clear_faults();
        plugin.world.plex.up().unwrap();
        make(&plugin);
        let (text, output) = look(&plugin, "health_check");
        says(&text, words);
        says(&text, line);
        // Plex's own words follow those of the guide.
        let told = line.split_once("Plex: ").unwrap().1;
        let told = told.split(" Plex Media Server").next().unwrap();
        assert!(GUIDE.contains(told), "docs/health.md lacks {told}");
        says(&text, hint);
        assert_eq!(text.contains("What to do"), !hint.is_empty(), "{text}");
        assert_eq!(output["circuit"]["state"], state, "{verdict}");
        if state == "half_open" {
            assert_eq!(output["circuit"]["reason"], "unauthorized");
        }
        assert_eq!(output["plex"]["verdict"], verdict, "{text}");
        assert_eq!(output["worker"]["state"], "not_running");
    }
}

#[test]
fn health_without_a_breaker_file() {
    table(None, "closed", "i Sending to Plex: yes");
}

#[test]
fn health_while_closed() {
    let file = json!({"state": "closed", "failure_count": 3}).to_string();
    table(
        Some(file),
        "closed",
        "i Sending to Plex: yes, though 3 attempts failed in a row",
    );
}

#[test]
fn health_while_open() {
    table(
        Some(open(7500.0, 3000.0).to_string()),
        "open",
        "w Sending to Plex: paused 2h 5m ago: failures; next attempt in ",
    );
}

#[test]
fn health_while_half_open() {
    let file = json!({"state": "half_open", "opened_at": now() - 7500.0, "reason": "unauthorized"});
    table(
        Some(file.to_string()),
        "half_open",
        "w Sending to Plex: paused 2h 5m ago",
    );
}

#[test]
fn health_with_a_corrupted_breaker_file() {
    table(
        Some("{\"state\": \"op".to_owned()),
        "unknown",
        "w Sending to Plex: not known, since the record of outages, circuit_breaker.json, cannot be read (EOF",
    );
}

#[test]
fn a_hanging_plex_is_told_after_the_probes_own_limit() {
    let plugin = Installed::new(1);
    plugin.world.plex.fail_with(Fault::Hang);
    let (text, output) = look(&plugin, "health_check");
    says(
        &text,
        "w Plex: hanging: the connection was accepted, but no answer came within 5s",
    );
    assert_eq!(output["plex"]["verdict"], "hanging");
    let latency = output["plex"]["latency_ms"].as_f64().unwrap();
    assert!((5000.0..30_000.0).contains(&latency), "{latency} ms");
}

/// A token that only the second step of the probe finds refused.
#[test]
fn health_looks_behind_the_identity() {
    let plugin = Installed::new(1);
    let refused = Rule::new(Fault::Unauthorized).path("/library/sections");
    plugin.world.plex.fail_when(refused);
    let (_, output) = look(&plugin, "health_check");
    assert_eq!(output["plex"]["verdict"], "unauthorized");
}

#[test]
fn jobs_behind_an_open_circuit_are_warned_of() {
    let plugin = Installed::new(1);
    let mut queue = jobs(&plugin);
    (1..=3).for_each(|id| enqueue(&mut queue, id));
    set_breaker(&plugin, open(192.5, -5.0).to_string());
    let (text, output) = look(&plugin, "health_check");
    says(&text, "w Sending to Plex: paused 3m ");
    says(&text, "; the next change is the next attempt");
    says(&text, "i Plex is back: sending goes on by itself");
    says(&text, "i Queue: 3 changes waiting, 0 running, 0 failed");
    says(
        &text,
        "w 3 changes wait until sending to Plex goes on; none is lost",
    );
    says(&text, "w Worker: not running though changes wait");
    assert_eq!(output["queue"]["waiting"], 3);

    let _lock = plugin.take_lock(Role::Worker);
    set_breaker(&plugin, json!({"state": "closed"}).to_string());
    let (text, output) = look(&plugin, "health_check");
    says(&text, "i Worker: running");
    assert!(!text.contains("until sending to Plex"), "{text}");
    assert_eq!(output["worker"]["state"], "running");
}

/// The life of the process that writes; ends at once when no parent asks for it.
#[test]
fn writer() {
    let Ok(path) = std::env::var("TASKS_TEST_BREAKER") else {
        return;
    };
    let rules = Rules::default().open_for(Duration::from_millis(40));
    let store = FileStore::open(path).unwrap();
    let breaker = Breaker::builder(rules).open(store).unwrap();
    loop {
        if let Ok(permit) = breaker.try_acquire() {
            permit.trip("starting");
        }
        thread::sleep(Duration::from_millis(60));
        if let Ok(permit) = breaker.try_acquire() {
            permit.success();
        }
        thread::sleep(Duration::from_millis(60));
    }
}

struct Writer(Child);

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_file_that_another_process_writes_is_read_whole() {
    let plugin = Installed::new(1);
    let dir = DataDir::create(plugin.config.path()).unwrap();
    let mut writer = Command::new(std::env::current_exe().unwrap());
    writer
        .args(["--exact", "health::writer"])
        .env("TASKS_TEST_BREAKER", dir.breaker());
    writer.stdout(Stdio::null()).stderr(Stdio::null());
    let _writer = Writer(writer.spawn().unwrap());
    plugin.until("written", || dir.breaker().exists());
    let mut seen = BTreeMap::new();
    for _ in 0..100 {
        let (text, output) = answered(&plugin.task("health_check"));
        let state = output["circuit"]["state"].as_str().unwrap().to_owned();
        assert_ne!(state, "unknown", "{text}");
        *seen.entry(state).or_insert(0) += 1;
        if seen.len() > 1 && seen.values().sum::<i32>() >= 10 {
            return;
        }
    }
    panic!("the writer never changed the state: {seen:?}");
}

//! A worker outlives the connection it was started with.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::*;

/// Stash on a port of its own, for as long as this lives.
struct Relay {
    port: u16,
    over: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Relay {
    fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (over, open) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let relay = Self { port, over, open };
        let (over, open) = (relay.over.clone(), relay.open.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else {
                    continue;
                };
                let mut kept = open.lock().unwrap();
                for (from, to) in [(&client, &server), (&server, &client)] {
                    kept.push(from.try_clone().unwrap());
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    thread::spawn(move || {
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Write);
                    });
                }
            }
        });
        relay
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // The listener goes with the next one who calls.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        for connection in self.open.lock().unwrap().iter() {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

/// Saves as a Stash that listens on this port.
fn save_at(plugin: &Installed, port: u16, scene: u64) {
    let stash = &plugin.world.stash;
    let stdin = stash.hook_stdin(&Trigger::SceneForm(scene));
    let here = format!("\"Port\":{}", stash.port());
    assert!(stdin.contains(&here), "{stdin}");
    let run = plugin.run(&stdin.replace(&here, &format!("\"Port\":{port}")));
    assert_eq!(run.error(), None);
}

#[test]
fn a_fresh_session_reaches_the_worker_whose_own_has_ended() {
    let plugin = Installed::with(2, json!({"idle_timeout": 60}));
    idle(&plugin);
    plugin.world.stash.expire_sessions();
    let scene = plugin.world.scenes[1];
    edit(&plugin, scene, "Saved with a fresh session");
    // What was left with the save before is a minute old.
    let left = fs::File::options()
        .write(true)
        .open(dir(&plugin).connection());
    let then = SystemTime::now() - Duration::from_secs(61);
    left.unwrap().set_modified(then).unwrap();
    plugin.save(scene);
    plugin.until_equal();
    assert_eq!(started(&plugin), 1, "{}", plugin.worker_log());
    plugin.kill_worker();
}

#[test]
fn an_api_key_that_is_made_anew_ends_no_worker() {
    let plugin = Installed::with(2, json!({"idle_timeout": 60}));
    idle(&plugin);
    let key = Some("another-key".to_owned());
    plugin.world.stash.set(|options| options.api_key = key);
    let scene = plugin.world.scenes[1];
    edit(&plugin, scene, "Saved after that");
    plugin.save(scene);
    plugin.until_equal();
    assert_eq!(started(&plugin), 1, "{}", plugin.worker_log());
    plugin.kill_worker();
}

#[test]
fn a_stash_that_came_back_on_another_port_is_found_there() {
    let plugin = Installed::with(3, json!({"idle_timeout": 60}));
    let [first, second, third] = plugin.world.scenes[..] else {
        panic!()
    };
    let relay = Relay::to(plugin.world.stash.port());
    save_at(&plugin, relay.port, first);
    plugin.until("worked off", || plugin.worker_log().contains("wrote"));
    drop(relay);
    let relay = Relay::to(plugin.world.stash.port());
    save_at(&plugin, relay.port, second);
    save_at(&plugin, relay.port, third);
    plugin.until_equal();
    assert_eq!(started(&plugin), 1, "{}", plugin.worker_log());
    plugin.kill_worker();
}

/// The connection is for the worker's eyes, and gone when nothing needs it.
#[test]
fn the_connection_is_private_and_goes_with_an_idle_worker() {
    use std::os::unix::fs::MetadataExt;
    let plugin = Installed::with(1, json!({"idle_timeout": 2}));
    idle(&plugin);
    let file = dir(&plugin).connection();
    assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
    plugin.until_no_worker();
    assert!(!file.exists());
}

//! Any bytes on stdin: an answer, and what is accepted survives the handover to a child.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stash::protocol::PluginInput;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(input) = PluginInput::parse(bytes) {
        let handover = input.server_connection.handover();
        let child = PluginInput::parse(handover.expose().as_bytes()).expect("a handover parses");
        assert_eq!(child.server_connection.url(), input.server_connection.url());
        if let Some(hook) = input.args.hook {
            let _ = hook.input::<serde_json::Value>();
        }
    }
});

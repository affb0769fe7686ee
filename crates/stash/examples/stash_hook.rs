//! What a hook's input tells: of a sample, or from stdin with the argument `-`.
//!
//! `cargo run --example stash_hook`
#![allow(clippy::unwrap_used)]

use std::io::{Read, stdin};

use stash::protocol::{PluginInput, Trigger};

const SAMPLE: &str = r#"{
    "server_connection": {
        "Scheme": "http", "Host": "0.0.0.0", "Port": 9999,
        "SessionCookie": {"Name": "session", "Value": "MTcwMDAwMDAwMHxERU1P"},
        "Dir": "/root/.stash", "PluginDir": "/root/.stash/plugins/demo"
    },
    "args": {"hookContext": {
        "id": 45, "type": "Scene.Update.Post",
        "input": {"id": "45", "title": null, "details": null, "rating100": 80},
        "inputFields": ["rating100", "id"]
    }}
}"#;

fn main() {
    let mut text = SAMPLE.to_owned();
    if std::env::args().nth(1).as_deref() == Some("-") {
        text.clear();
        stdin().read_to_string(&mut text).unwrap();
    } else {
        println!("(a sample, a star given to scene 45; with `-` it reads stdin)\n");
    }
    match PluginInput::parse(text.as_bytes()) {
        Ok(input) => tell(&input),
        Err(why) => println!("not a plugin's input: {why}"),
    }
}

fn tell(input: &PluginInput) {
    let connection = &input.server_connection;
    println!(
        "Stash listens on {:?}, so call {}",
        connection.host,
        connection.url()
    );
    println!("its session is {:?}", connection.session_cookie);
    let Some(hook) = &input.args.hook else {
        println!("no hook: a task or operation with {:?}", input.args.values);
        return;
    };
    match &hook.trigger {
        Trigger::Known(entity, operation) => {
            println!("{operation:?} of a {entity:?}, id {:?}", hook.id)
        }
        Trigger::Unknown(text) => println!("something this version does not know: {text}"),
    }
    println!(
        "sent: {:?}; the other fields of the input are null and mean nothing",
        hook.input_fields
    );
}

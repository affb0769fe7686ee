//! Inputs that are not as they should be, and those that are large or odd.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};
use stash::protocol::{InputError, PluginInput, Trigger};

const COOKIE: &str = "MTcwMDAwMDAwMHxTRUNSRVQ";

fn document() -> Value {
    json!({
        "server_connection": {
            "Scheme": "http", "Host": "0.0.0.0", "Port": 9999,
            "SessionCookie": {"Name": "session", "Value": COOKIE},
            "Dir": "/root/.stash", "PluginDir": "/root/.stash/plugins/demo",
        },
        "args": {},
    })
}

fn with(pointer: &str, value: Value) -> Value {
    let mut document = document();
    *document.pointer_mut(pointer).unwrap() = value;
    document
}

fn parse(document: &Value) -> Result<PluginInput, InputError> {
    PluginInput::parse(document.to_string().as_bytes())
}

fn fault(document: &Value) -> String {
    parse(document).unwrap_err().to_string()
}

#[test]
fn faults_are_said_in_words() {
    let fault_of = |text: &str| PluginInput::parse(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(
        fault_of(" \n"),
        "stdin is empty; this program is a Stash plugin and expects Stash to start it with its input"
    );
    for (text, found) in [
        ("null", "null"),
        ("[]", "a list"),
        ("7", "a number"),
        ("true", "a boolean"),
        ("\"x\"", "text"),
    ] {
        assert_eq!(
            fault_of(text),
            format!(
                "stdin must be an object, found {found}; if Stash started this program, report it with Stash's version"
            )
        );
    }
    assert_eq!(
        fault_of("hello"),
        "stdin is not JSON: it is malformed, nested too deep, or names a key twice (line 1, column 1); if Stash started this program, report it with \
         Stash's version"
    );
    assert!(fault_of("{\"args\": ").contains("it ends too early"));
    assert!(fault_of("{} {}").contains("not JSON"));

    assert_eq!(
        fault(&with("/args", Value::Null)),
        "args must be an object, found nothing; if Stash started this program, report it with Stash's version"
    );
    assert_eq!(
        fault(&with("/args", json!([]))),
        "args must be an object, found a list; if Stash started this program, report it with Stash's version"
    );
    let mut without = document();
    without.as_object_mut().unwrap().remove("args");
    assert!(fault(&without).starts_with("args must be an object, found nothing"));
    assert!(
        fault(&with("/server_connection", json!("x")))
            .starts_with("server_connection must be an object, found text")
    );
    assert!(
        fault(&with("/server_connection/Port", json!(70_000)))
            .starts_with("server_connection.Port must be a port number")
    );
    assert!(fault(&with("/server_connection/Scheme", json!("ftp"))).contains("`http` or `https`"));
    assert!(
        fault(&with("/server_connection/Dir", json!(null)))
            .contains("server_connection.Dir must be text, found null")
    );
    assert!(
        fault(&with("/args", json!({"hookContext": 7})))
            .contains("args.hookContext must be an object, found a number")
    );
    assert!(
        fault(&with("/args", json!({"hookContext": {"id": 7}})))
            .contains("args.hookContext.type must be text, found nothing")
    );
}

#[test]
fn no_text_shows_a_secret() {
    let input = parse(&document()).unwrap();
    assert!(!format!("{input:?} {:?}", input.server_connection.handover()).contains(COOKIE));
    // The cookie in places where other things belong.
    for pointer in [
        "",
        "/args",
        "/server_connection",
        "/server_connection/Port",
        "/server_connection/Scheme",
    ] {
        let error = parse(&with(pointer, json!(COOKIE))).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(COOKIE), "{pointer}");
    }
    let hook = json!({"hookContext": {"type": "Scene.Update.Post", "input": COOKIE}});
    let error = parse(&with("/args", hook))
        .unwrap()
        .args
        .hook
        .unwrap()
        .input::<u8>()
        .unwrap_err();
    assert!(!format!("{error} {error:?}").contains(COOKIE));
}

#[test]
fn the_address_is_one_that_can_be_called() {
    let url = |host: &str, scheme: &str| {
        let mut document = with("/server_connection/Host", json!(host));
        document["server_connection"]["Scheme"] = json!(scheme);
        parse(&document).unwrap().server_connection.url()
    };
    assert_eq!(url("0.0.0.0", "http"), "http://127.0.0.1:9999");
    assert_eq!(url("", "https"), "https://127.0.0.1:9999");
    assert_eq!(url("::", "http"), "http://[::1]:9999");
    assert_eq!(url("[::]", "http"), "http://[::1]:9999");
    assert_eq!(url("fe80::2", "http"), "http://[fe80::2]:9999");
    assert_eq!(url("192.168.1.7", "http"), "http://192.168.1.7:9999");
    assert_eq!(url("nas", "http"), "http://nas:9999");
}

#[test]
fn loose_inputs_are_taken() {
    let input = parse(&with("/server_connection/SessionCookie", Value::Null)).unwrap();
    assert_eq!(input.server_connection.session_cookie, None);
    let input = parse(&with("/server_connection/PluginDir", json!("plugins/demo"))).unwrap();
    let expected = std::env::current_dir().unwrap().join("plugins/demo");
    assert_eq!(input.server_connection.plugin_dir, expected);
    let input = parse(&with("/server_connection/Port", json!("9998"))).unwrap();
    assert_eq!(input.server_connection.port, 9998);

    let hook = json!({"hookContext": {"id": "7", "type": "Scene.Teleport.Post", "inputFields": null, "news": 1}, "x": 1});
    let args = parse(&with("/args", hook)).unwrap().args;
    let hook = args.hook.unwrap();
    assert_eq!(hook.id, Some(7));
    assert_eq!(hook.trigger, Trigger::Unknown("Scene.Teleport.Post".into()));
    assert_eq!(args.values.len(), 1);
    let args = parse(&with("/args", json!({"hookContext": null})))
        .unwrap()
        .args;
    assert!(args.hook.is_none());
}

#[test]
fn a_child_reads_the_handover() {
    let input = parse(&document()).unwrap();
    let handover = input.server_connection.handover();
    let child = PluginInput::read(handover.expose().as_bytes()).unwrap();
    assert_eq!(child.server_connection, input.server_connection);
    assert!(child.args.values.is_empty() && child.args.hook.is_none());
}

/// A pasted cover: ten megabytes of base64 inside the input, read and kept without being looked at.
#[test]
fn megabytes_are_taken_up_to_the_limit() {
    let cover = format!("data:image/jpeg;base64,{}", "A".repeat(10 * 1024 * 1024));
    let hook = json!({"hookContext": {
        "id": 7, "type": "Scene.Update.Post", "input": {"id": "7", "cover_image": cover}, "inputFields": ["id", "cover_image"],
    }});
    let text = with("/args", hook).to_string();
    let hook = PluginInput::read(text.as_bytes())
        .unwrap()
        .args
        .hook
        .unwrap();
    assert_eq!(hook.id, Some(7));
    assert!(hook.raw_input().unwrap().len() > 10 * 1024 * 1024);

    let limit = text.len() as u64;
    assert!(PluginInput::read_up_to(text.as_bytes(), limit).is_ok());
    let error = PluginInput::read_up_to(text.as_bytes(), limit - 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "the input on stdin is larger than {} bytes; send less in one call",
            limit - 1
        )
    );
    // Endless input ends too.
    assert!(PluginInput::read_up_to(std::io::repeat(b' '), 1000).is_err());
}

#[test]
fn deep_nesting_is_an_error() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let document = document()
        .to_string()
        .replace("\"args\":{}", &format!("\"args\":{{\"x\":{deep}}}"));
    assert!(PluginInput::parse(document.as_bytes()).is_err());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let key = prop_oneof![
            "id|type|input|inputFields|hookContext|Name|Value|args",
            ".{0,4}"
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map(key, inner, 0..4)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(bytes in any::<Vec<u8>>()) {
        let _ = PluginInput::parse(&bytes);
    }

    #[test]
    fn any_value_anywhere_gets_an_answer(
        pointer in proptest::sample::select(vec![
            "/args", "/server_connection", "/server_connection/SessionCookie", "/server_connection/Port",
            "/server_connection/Host", "/server_connection/PluginDir",
        ]),
        value in any_json(),
    ) {
        if let Ok(input) = parse(&with(pointer, value)) {
            let child = PluginInput::read(input.server_connection.handover().expose().as_bytes()).unwrap();
            prop_assert_eq!(child.server_connection, input.server_connection);
        }
    }
}

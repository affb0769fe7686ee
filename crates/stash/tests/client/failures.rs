//! What goes wrong, and what is told of it.

use super::*;

#[tokio::test]
async fn answers_that_are_no_results_are_told_apart() {
    type Case = (usize, &'static str, &'static str, fn(&Error) -> bool);
    let cases: [Case; 8] = [
        (401, "", "", |error| *error == Error::Unauthorized),
        (302, "/login?returnURL=x", "", |error| {
            *error == Error::Unauthorized
        }),
        (302, "http://elsewhere.invalid/", "", |error| {
            *error == Error::Status { status: 302 }
        }),
        (502, "", "<html>", |error| {
            *error == Error::Status { status: 502 } && error.is_temporary()
        }),
        (200, "", "<html>", |error| {
            matches!(error, Error::Malformed(_)) && !error.is_temporary()
        }),
        (200, "", r#"{"data":null}"#, |error| {
            matches!(error, Error::Malformed(_))
        }),
        (
            200,
            "",
            r#"{"errors":[{"message":"database is locked"}],"data":null}"#,
            |error| {
                error.to_string() == "Stash could not answer the query: database is locked"
                    && error.is_temporary()
            },
        ),
        (
            400,
            "",
            r#"{"errors":[{"message":"Cannot query field \"x\""}]}"#,
            |error| {
                let old = "probably too old: update it to 0.24 or newer (Cannot query field \"x\")";
                matches!(error, Error::Query { .. })
                    && !error.is_temporary()
                    && error.to_string().contains(old)
            },
        ),
    ];
    for (status, location, body, expected) in cases {
        let mut server = Server::new_async().await;
        let _mock = server
            .mock("POST", "/graphql")
            .with_status(status)
            .with_header("location", location)
            .with_body(body)
            .create_async()
            .await;
        let error = client(&server.url()).version().await.unwrap_err();
        assert!(expected(&error), "{status} {body}: {error:?}");
    }
}

/// A server of one answer, sent as it is.
fn raw_server(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 65536]);
        let _ = stream.write_all(answer);
    });
    format!("http://{address}")
}

#[tokio::test]
async fn no_answer_is_told_apart_too() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let refused = client(&format!("http://{free}"))
        .version()
        .await
        .unwrap_err();
    assert!(
        matches!(
            refused,
            Error::Unreachable {
                kind: Unreachable::Connect,
                ..
            }
        ),
        "{refused:?}"
    );
    assert!(refused.is_temporary());

    let cut = raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"data\":");
    let cut = client(&cut).version().await.unwrap_err();
    assert!(
        matches!(
            cut,
            Error::Unreachable {
                kind: Unreachable::Interrupted,
                ..
            }
        ),
        "{cut:?}"
    );

    let silent = raw_server(b"");
    let silent = client(&silent).version().await.unwrap_err();
    assert!(
        matches!(
            silent,
            Error::Unreachable {
                kind: Unreachable::Interrupted,
                ..
            }
        ),
        "{silent:?}"
    );
}

/// The server took the request and says nothing; then the clock is stopped and jumps to the limit.
#[tokio::test]
async fn silence_ends_in_a_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let taken = tokio::task::spawn_blocking(move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert_ne!(stream.read(&mut [0; 65536]).unwrap(), 0);
        stream
    });
    let call = tokio::spawn(async move { client(&url).version().await });
    let _open = taken.await.unwrap();
    tokio::time::pause();
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "Stash does not answer this program (timeout: nothing within 30 s). If its port or HTTPS setting was changed, or this lasts, restart Stash"
    );
}

#[tokio::test]
async fn no_error_shows_a_key() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let endpoint = Endpoint::new(&format!("http://{free}"))
        .unwrap()
        .with_api_key(Secret::new("KEY-123"));
    let client = Client::new(builder(), &endpoint).unwrap();
    let error = client
        .image("/scene/1/screenshot?apikey=KEY-123", 100)
        .await
        .unwrap_err();
    assert!(!format!("{error} {error:?} {endpoint:?} {client:?}").contains("KEY-123"));
    let endpoint = Endpoint::new("http://h")
        .unwrap()
        .with_api_key(Secret::new("KEY\n123"));
    let error = Client::new(builder(), &endpoint).unwrap_err();
    assert!(matches!(&error, Error::Setup(_)) && !format!("{error:?}").contains("KEY"));
    // A session where a number belongs: the answer's text is not repeated.
    let mut server = Server::new_async().await;
    let _mock = query(&mut server, "Version")
        .with_body(r#"{"data":{"version":{"version":["KEY-123"]}}}"#)
        .create_async()
        .await;
    let error = self::client(&server.url()).version().await.unwrap_err();
    assert!(!format!("{error:?}").contains("KEY-123"), "{error:?}");
}

#[test]
fn addresses_are_checked() {
    for faulty in [
        "",
        "nas:9999",
        "ftp://nas",
        "http://",
        "http://user:secret@nas",
    ] {
        let error = Endpoint::new(faulty).unwrap_err();
        assert!(
            matches!(&error, Error::Setup(_)) && !error.to_string().contains("secret"),
            "{faulty}"
        );
    }
    assert_eq!(
        Endpoint::new(" https://nas/stash?x#y ")
            .unwrap()
            .base()
            .as_str(),
        "https://nas/stash/"
    );
}

//! Neither the token nor the address goes where it does not belong.

use super::*;

#[tokio::test]
async fn the_token_goes_to_its_own_server_only() {
    let mut other = Server::new_async().await;
    let never = other
        .mock("GET", Matcher::Any)
        .expect(0)
        .create_async()
        .await;
    let mut server = Server::new_async().await;
    let redirect = server
        .mock("GET", Matcher::Any)
        .match_header("x-plex-token", TOKEN)
        .match_header("x-plex-client-identifier", "identifier")
        .with_status(307)
        .with_header("location", &other.url())
        .expect(1)
        .create_async()
        .await;
    let plex = client(&server.url());
    let error = plex.item(&key()).await.unwrap_err();
    assert!(matches!(error, Error::Redirected { .. }), "{error:?}");
    never.assert_async().await;
    redirect.assert_async().await;
}

#[tokio::test]
async fn no_proxy_sees_the_token() {
    let mut proxy = Server::new_async().await;
    let never = proxy
        .mock("GET", Matcher::Any)
        .expect(0)
        .create_async()
        .await;
    let mut server = Server::new_async().await;
    let sections = server.mock("GET", "/library/sections");
    let sections = sections
        .with_body(r#"{"MediaContainer":{}}"#)
        .create_async();
    let sections = sections.await;
    let builder = builder().proxy(reqwest::Proxy::all(proxy.url()).unwrap());
    let plex = client_with(builder, &server.url(), Timeouts::default());
    assert_eq!(plex.sections().await.unwrap(), []);
    never.assert_async().await;
    sections.assert_async().await;
}

#[tokio::test]
async fn no_text_has_the_token_or_the_address() {
    let echo = format!("<html><title>Bad token {TOKEN}</title></html>");
    let plex = client("http://127.0.0.1:9");
    let refused = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut texts = format!("{plex:?}");
    for error in [
        answered(400, "", &echo).await,
        answered(307, "", &echo).await,
        answered(200, "", &echo).await,
        client(&format!("http://{refused}"))
            .item(&key())
            .await
            .unwrap_err(),
    ] {
        texts += &format!(
            "{error} {error:?} {:?}",
            error.source().map(ToString::to_string)
        );
    }
    assert_eq!(texts.matches(": Bad token [token] ").count(), 3, "{texts}");
    assert!(!texts.contains(TOKEN), "{texts}");
    assert!(!texts.contains(&format!("http://{refused}")), "{texts}");
    assert_eq!(format!("{:?}", TOKEN.parse::<Token>()), "Ok(Token(…))");
}

#[test]
fn what_cannot_be_a_server_or_device() {
    let device = Device::new("id", "product", "1");
    let make =
        |url: &str, device: &Device| Client::new(builder(), url, None, device, Timeouts::default());
    for url in [
        "",
        "plex.local",
        "ftp://plex.local",
        "http://user:secret@plex.local",
        "http:///",
    ] {
        let error = make(url, &device).unwrap_err();
        assert!(matches!(error, SetupError::Url), "{url}");
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
    for url in [
        "http://10.0.0.1:32400",
        " https://plex.local/behind/proxy/ ",
        "http://[::1]:32400",
    ] {
        make(url, &device).unwrap();
    }
    assert!(matches!(
        make("http://a", &Device::new("id", "a\nb", "1")),
        Err(SetupError::Device("product"))
    ));
    make("http://a", &Device::new("id", "Ünïcode", "1")).unwrap();
}

//! Addresses and tokens as people paste them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use plex::{SetupError, Token};
use proptest::prelude::*;

#[test]
fn an_address_is_cut_to_the_servers_own_part() {
    let page =
        Some("the address is that of a page of Plex; only the server's own part of it is used");
    let quotes = Some("the quotation marks around the address were left out");
    let bare = Some("http:// is missing in front of the address");
    for (text, address, remark) in [
        ("http://nas:32400", "http://nas:32400", None),
        (" http://nas:32400/\n", "http://nas:32400", None),
        ("HTTP://NAS:32400", "http://nas:32400", None),
        ("nas:32400", "http://nas:32400", bare),
        ("[::1]:32400/plex/", "http://[::1]:32400/plex", bare),
        (
            "https://home/behind/proxy/",
            "https://home/behind/proxy",
            None,
        ),
        ("http://[::1]:32400", "http://[::1]:32400", None),
        ("\"http://nas:32400\"", "http://nas:32400", quotes),
        (
            "http://nas:32400/web/index.html#!/settings",
            "http://nas:32400",
            page,
        ),
        ("http://nas:32400/web", "http://nas:32400", page),
        ("https://home/plex/web/", "https://home/plex", page),
        ("http://nas:32400/#!/server/abc", "http://nas:32400", page),
        (
            "http://nas:32400/?X-Plex-Token=secret",
            "http://nas:32400",
            page,
        ),
        (
            "http://nas:32400/library/metadata/7?checkFiles=1&X-Plex-Token=secret",
            "http://nas:32400",
            page,
        ),
        // Somebody's own paths.
        ("https://home/web/plex", "https://home/web/plex", None),
        ("https://home/library", "https://home/library", None),
    ] {
        assert_eq!(
            plex::address(text).unwrap(),
            (address.to_owned(), remark),
            "{text}"
        );
    }
}

#[test]
fn what_is_no_address_of_a_server_is_refused_without_repeating_it() {
    for text in [
        "",
        "nas",
        "nas:secret",
        "user:secret@nas:32400",
        "ftp://nas",
        "http://user:secret@nas:32400/web",
        "http://nas:secret/?X-Plex-Token=secret",
    ] {
        let error = plex::address(text).unwrap_err();
        assert!(matches!(error, SetupError::Url), "{text}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
    for text in [
        "https://app.plex.tv/desktop/#!/server/abc",
        "https://plex.tv",
    ] {
        let error = plex::address(text).unwrap_err();
        assert!(matches!(error, SetupError::Website), "{text}: {error:?}");
    }
}

#[test]
fn a_token_is_taken_out_of_what_stands_around_it() {
    let expected: Token = "aB1-_x".parse().unwrap();
    for text in ["aB1-_x", " aB1-_x\n"] {
        assert_eq!(
            plex::token(text).unwrap(),
            (expected.clone(), None),
            "{text:?}"
        );
    }
    for text in [
        "X-Plex-Token=aB1-_x",
        "?X-Plex-Token=aB1-_x&X-Plex-Language=de",
        "checkFiles=1&x-plex-token=aB1-_x#top",
        "http://nas:32400/library/metadata/7?X-Plex-Token=aB1-_x",
        "X-Plex-Token: aB1-_x",
        "X-Plex-Token=\"aB1-_x\"",
        "\"X-Plex-Token\": \"aB1-_x\"",
        "\"aB1-_x\"",
        "'aB1-_x'",
        "“aB1-_x”",
    ] {
        let (token, remark) = plex::token(text).unwrap();
        assert!(token == expected && remark.is_some(), "{text:?}");
        assert_eq!(text.parse::<Token>().unwrap(), expected);
    }
}

#[test]
fn what_is_no_token_is_refused_without_repeating_it() {
    for text in [
        "",
        " ",
        "\"\"",
        "two secrets",
        "line\nbreak",
        "ü",
        "X-Plex-Token=",
        "X-Plex-Token=&secret",
    ] {
        let error = plex::token(text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"), "{text:?}");
    }
}

proptest! {
    #[test]
    fn any_text_has_an_answer(text in ".{0,40}", around in "[^&#\\s]{0,10}") {
        let _ = plex::address(&text);
        let _ = plex::address(&format!("http://nas{text}"));
        let _ = plex::token(&text);
        let _ = plex::token(&format!("{around}X-Plex-Token={text}"));
    }

    #[test]
    fn an_address_stays_as_it_is_the_second_time(text in "[a-z/#?=.]{0,20}") {
        if let Ok((address, _)) = plex::address(&format!("http://nas:32400/{text}")) {
            prop_assert_eq!(plex::address(&address).unwrap(), (address, None));
        }
    }

    #[test]
    fn every_plain_token_is_itself(text in "[A-Za-z0-9_-]{1,30}") {
        prop_assume!(!text.to_ascii_lowercase().contains("x-plex-token"));
        prop_assert_eq!(plex::token(&text).unwrap().1, None);
    }
}

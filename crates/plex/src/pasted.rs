//! The address and the token as people copy them: out of the browser's address bar, with more than
//! is needed.

use reqwest::Url;

use crate::{InvalidToken, SetupError, Token};

const QUOTES: [char; 7] = ['"', '\'', '`', '“', '”', '‘', '’'];

/// The address of a server in a text that somebody pasted, and what was left out to get it.
/// [`Client::new`] takes such texts too; this is for telling the user.
///
/// [`Client::new`]: crate::Client::new
///
/// ```
/// let (address, remark) = plex::address("http://nas:32400/web/index.html#!/settings")?;
/// assert_eq!(address, "http://nas:32400");
/// assert!(remark.is_some());
/// assert_eq!(plex::address("http://nas:32400")?.1, None);
/// # Ok::<(), plex::SetupError>(())
/// ```
///
/// # Errors
/// [`SetupError::Url`] when it is not an `http` or `https` address or holds a user or password,
/// [`SetupError::Website`] when it is that of Plex's website.
pub fn address(text: &str) -> Result<(String, Option<&'static str>), SetupError> {
    let (url, remark) = base(text)?;
    Ok((url.as_str().trim_end_matches('/').to_owned(), remark))
}

pub(crate) fn base(text: &str) -> Result<(Url, Option<&'static str>), SetupError> {
    let text = text.trim();
    let plain = text.trim_matches(QUOTES).trim();
    let full = match is_bare(plain) {
        true => format!("http://{plain}"),
        false => plain.to_owned(),
    };
    let mut url = Url::parse(&full).map_err(|_| SetupError::Url)?;
    let usable = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none();
    if !usable {
        return Err(SetupError::Url);
    }
    if let Some("plex.tv" | "app.plex.tv" | "www.plex.tv") = url.host_str() {
        return Err(SetupError::Website);
    }
    let segments = url.path().split('/').filter(|part| !part.is_empty());
    let segments: Vec<&str> = segments.collect();
    let own = page_start(&segments);
    let page = own < segments.len() || url.query().is_some() || url.fragment().is_some();
    let path = segments[..own].join("/");
    let remark = if page {
        Some("the address is that of a page of Plex; only the server's own part of it is used")
    } else if full != plain {
        Some("http:// is missing in front of the address")
    } else if plain != text {
        Some("the quotation marks around the address were left out")
    } else {
        None
    };
    url.set_path(&path);
    url.set_query(None);
    url.set_fragment(None);
    Ok((url, remark))
}

/// Whether it is `host:port`, with or without a path, and no scheme.
fn is_bare(text: &str) -> bool {
    let host = text.split('/').next().unwrap_or_default();
    let port = host.rsplit_once(':').map_or("", |(_, port)| port);
    !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Where Plex's own paths start; before them stands what a proxy added.
fn page_start(segments: &[&str]) -> usize {
    let is_page = |at: usize| {
        let next = segments.get(at + 1).copied();
        match segments[at] {
            "web" => matches!(next, None | Some("index.html")),
            "library" => matches!(next, Some("metadata" | "sections")),
            _ => false,
        }
    };
    let page = (0..segments.len()).find(|at| is_page(*at));
    page.unwrap_or(segments.len())
}

/// The token in a text that somebody pasted, such as `?X-Plex-Token=abc&…` or `"abc"`, and what was
/// left out to get it. A token's [`FromStr`](std::str::FromStr) takes such texts too; this is for
/// telling the user.
///
/// ```
/// let (token, remark) = plex::token("X-Plex-Token=abc")?;
/// assert!(token == "abc".parse()? && remark.is_some());
/// # Ok::<(), plex::InvalidToken>(())
/// ```
///
/// # Errors
/// [`InvalidToken`] when what is left is no token.
pub fn token(text: &str) -> Result<(Token, Option<&'static str>), InvalidToken> {
    const NAME: &str = "x-plex-token";
    let text = text.trim();
    // Lower case of ASCII only, so that places in both texts are the same.
    let value = text.to_ascii_lowercase().find(NAME).and_then(|at| {
        text[at + NAME.len()..]
            .trim_start_matches(QUOTES)
            .trim_start()
            .strip_prefix(['=', ':'])
    });
    let (plain, remark) = match value {
        Some(value) => {
            let is_end = |c: char| c.is_whitespace() || matches!(c, '&' | '#');
            let value = value.trim_start().split(is_end).next();
            let remark = "what stood around the token was left out";
            (value.unwrap_or_default(), Some(remark))
        }
        None => (text, None),
    };
    let bare = plain.trim().trim_matches(QUOTES).trim();
    let quoted = (bare != plain).then_some("the quotation marks around the token were left out");
    Ok((Token::new(bare)?, remark.or(quoted)))
}

//! What an answer says to a person, in one short line.

/// The longest line, in characters.
const LONGEST: usize = 200;

/// Why a request was refused: Plex says so in JSON, XML or HTML.
pub(crate) fn reason(body: &str) -> String {
    let body = body.trim();
    let choose =
        |title: &str, status: &str| if status.is_empty() { title } else { status }.to_owned();
    let said = if let Ok(json) = serde_json::from_str::<serde_json::Value>(body) {
        let part = |name| json[name].as_str().unwrap_or_default();
        choose(part("title"), part("status"))
    } else if let Ok(xml) = roxmltree::Document::parse(body) {
        let root = xml.root_element();
        let part = |name| root.attribute(name).unwrap_or_default();
        choose(part("title"), part("status"))
    } else {
        String::new()
    };
    let lines = [line(&said), excerpt(body), "no reason given".to_owned()];
    let mut lines = lines.into_iter().filter(|line| !line.is_empty());
    lines.next().unwrap_or_default()
}

/// The title of a page; of a page without one, or of anything else, how its text begins.
pub(crate) fn excerpt(body: &str) -> String {
    let title = body
        .split_once("<title>")
        .and_then(|(_, rest)| rest.split_once("</title>"));
    let title = title.map(|(title, _)| line(title));
    let title = title.filter(|title| !title.is_empty());
    title.unwrap_or_else(|| line(&text_of(body)))
}

/// A page's text, with a space for each tag.
fn text_of(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        let script = tag.starts_with("script") || tag.starts_with("style");
        let end = if script { "</" } else { ">" };
        rest = tag.split_once(end).map_or("", |(_, after)| after);
        if script {
            rest = rest.split_once('>').map_or("", |(_, after)| after);
        }
    }
    text + rest
}

fn line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(LONGEST).collect()
}

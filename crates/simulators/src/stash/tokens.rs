//! The pieces of a GraphQL document.

/// Line and column of a character, counted from 1.
pub(super) type Place = (usize, usize);

/// A piece of a document that means something.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub text: String,
    pub place: Place,
}

/// The tokens of a document, commas and comments left out.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let (mut rest, mut counted, mut place) = (text, text, (1, 1));
    while let Some(first) = rest.chars().next() {
        let length = match first {
            c if c.is_whitespace() || c == ',' || c == '\u{feff}' => {
                rest = &rest[c.len_utf8()..];
                continue;
            }
            '#' => {
                rest = rest.find('\n').map_or("", |end| &rest[end..]);
                continue;
            }
            '.' if rest.starts_with("...") => 3,
            '"' => string_length(rest).ok_or("Unterminated string")?,
            c if c.is_ascii_alphanumeric() || c == '_' || c == '-' => {
                let part =
                    |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '.');
                rest.find(|c| !part(c)).unwrap_or(rest.len())
            }
            c if "{}()[]:!=$@|&".contains(c) => 1,
            c => return Err(format!("Cannot parse the unexpected character \"{c}\".")),
        };
        for character in counted[..counted.len() - rest.len()].chars() {
            place = match character {
                '\n' => (place.0 + 1, 1),
                _ => (place.0, place.1 + 1),
            };
        }
        counted = rest;
        tokens.push(Token {
            text: rest[..length].to_owned(),
            place,
        });
        rest = &rest[length..];
    }
    Ok(tokens)
}

fn string_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().skip(1).find_map(|(at, c)| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at + 1)
    })
}

//! Small images that are valid and tell one another apart.

/// A baseline JPEG of one grey pixel (ITU T.81) with `text` as its comment.
pub(super) fn jpeg(text: &str) -> Vec<u8> {
    const START: [u8; 2] = [0xFF, 0xD8];
    const JFIF: [u8; 18] = [
        0xFF, 0xE0, 0, 16, b'J', b'F', b'I', b'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0,
    ];
    // Frame: 8 bits, 1 × 1, one component without subsampling.
    const FRAME: [u8; 13] = [0xFF, 0xC0, 0, 11, 8, 0, 1, 0, 1, 1, 1, 0x11, 0];
    // One code of one bit for "difference 0" (DC) and one for "end of block" (AC).
    const DC: [u8; 22] = [
        0xFF, 0xC4, 0, 20, 0x00, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    const AC: [u8; 22] = [
        0xFF, 0xC4, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    const SCAN: [u8; 10] = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0];
    // Both codes are the bit 0; the rest of the byte is filled with ones.
    const DATA: [u8; 3] = [0b0011_1111, 0xFF, 0xD9];

    let comment = &text.as_bytes()[..text.len().min(60_000)];
    let length = (comment.len() as u16 + 2).to_be_bytes();
    let mut quantisation = vec![0xFF, 0xDB, 0, 67, 0];
    quantisation.extend([16; 64]);
    [
        &START[..],
        &JFIF,
        &[0xFF, 0xFE],
        &length,
        comment,
        &quantisation,
        &FRAME,
        &DC,
        &AC,
        &SCAN,
        &DATA,
    ]
    .concat()
}

pub(super) const PLACEHOLDER: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"2\" height=\"3\"><rect width=\"2\" height=\"3\"/></svg>";

/// What Stash says a picture is: it looks at the first bytes.
pub(super) fn content_type(picture: &[u8]) -> &'static str {
    match picture {
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => "image/webp",
        _ => "image/jpeg",
    }
}

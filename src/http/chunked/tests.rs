use super::*;

fn all(mut input: &[u8]) -> Result<(Vec<u8>, Chunked, usize), Fault> {
    let (mut chunked, mut data) = (Chunked::new(), Vec::new());
    loop {
        let (used, piece) = chunked.decode(input)?;
        input = &input[used..];
        match piece {
            Piece::Data(piece) => data.extend_from_slice(piece),
            Piece::More => return Err(Fault::Cut),
            Piece::End => return Ok((data, chunked, input.len())),
        }
    }
}

#[test]
fn data_extensions_and_trailers_are_decoded() {
    let body = b"5\r\nhello\r\n1;a=\"b c\"\r\n \r\n005\r\nWorld\r\n\
                 0\r\nX-Sum: 11\r\n\r\nGET /";
    let (data, chunked, rest) = all(body).expect("a body");
    assert_eq!(data, b"hello World");
    assert_eq!(chunked.trailers().text("x-sum"), Some("11"));
    assert_eq!(rest, 5);
}

#[test]
fn spaces_after_a_length_are_ignored() {
    for first in [
        "5 ;a=b\r\n", // RFC 9112, section 7.1.1: BWS
        "5 ; a=b\r\n",
        "5\t;a\r\n",
        "5 \t ; a = \"b\" ; c\r\n",
        "5; a=b\r\n",
        "5 \r\n", // padded, as some servers send it
        "5  \r\n",
        "5\t\r\n",
        "005      \r\n",
    ] {
        for last in ["0\r\n", "0  \r\n", "0 ;a\r\n"] {
            let body = format!("{first}hello\r\n{last}\r\nGET /");
            let (data, _, rest) = all(body.as_bytes()).expect(first);
            assert_eq!((&data[..], rest), (&b"hello"[..], 5), "{body:?}");
        }
    }
}

#[test]
fn a_body_with_two_meanings_is_refused() {
    for bad in [
        "5\nhello\r\n0\r\n\r\n",        // LF alone
        "5\rhello\r\n0\r\n\r\n",        // CR alone
        "5\r\nhello0\r\n\r\n",          // no CRLF after the data
        "5\r\nhello\n0\r\n\r\n",        // LF alone after the data
        "5\r\nhellooo\r\n0\r\n\r\n",    // longer than it says
        "\r\n0\r\n\r\n",                // no digit
        "0x5\r\nhello\r\n0\r\n\r\n",    // a prefix
        "+5\r\nhello\r\n0\r\n\r\n",     // a sign
        "-5\r\nhello\r\n0\r\n\r\n",     //
        " 5\r\nhello\r\n0\r\n\r\n",     // a blank before
        "5 0\r\nhello\r\n0\r\n\r\n",    // a blank inside
        "5 a\r\nhello\r\n0\r\n\r\n",    // and more
        "5\t5;a\r\nhello\r\n0\r\n\r\n", //
        "5 \nhello\r\n0\r\n\r\n",       // a blank, and LF alone
        "5 \rhello\r\n0\r\n\r\n",       // a blank, and CR alone
        "5\x0b\r\nhello\r\n0\r\n\r\n",  // a blank for some
        " \r\n0\r\n\r\n",               // blanks and no length
        "5;a\nhello\r\n0\r\n\r\n",      // LF in an extension
        "5;a\rb\r\nhello\r\n0\r\n\r\n", // CR in an extension
        "5;\0\r\nhello\r\n0\r\n\r\n",   // a control character
        "fffffffffffffffff\r\n",        // 17 digits
        "10000000000000000\r\n",        //
        "0\r\nX: y\n\r\n",              // LF alone in the trailers
        "0\r\n folded\r\n\r\n",         // folding
        "0\r\nX : y\r\n\r\n",           // a blank before the colon
        "0\r\nno colon\r\n\r\n",        //
    ] {
        assert!(
            matches!(all(bad.as_bytes()), Err(Fault::Bad { .. })),
            "{bad:?}"
        );
    }
}

#[test]
fn endless_extensions_and_trailers_are_refused() {
    let long = format!("1;{}", "a".repeat(20_000));
    assert!(matches!(all(long.as_bytes()), Err(Fault::Bad { .. })));
    let long = format!("1{}", " ".repeat(20_000));
    assert!(matches!(all(long.as_bytes()), Err(Fault::Bad { .. })));
    let long = format!("0\r\n{}", "A: b\r\n".repeat(2_000));
    assert!(matches!(all(long.as_bytes()), Err(Fault::Bad { .. })));
}

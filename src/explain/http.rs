//! What web servers and proxies answer: the status codes of RFC 9110, and
//! those of RFC 6585 and 5842 that one meets.

use super::{Entry, reply};

/// How to see status and head fields.
const SEE: &[&str] = &["curl -i URL  # -v: what was sent, too"];

/// How to see whether a proxy or the origin has said it.
const WHO: &[&str] =
    &["curl -i --noproxy '*' URL  # the origin alone, without the proxy"];

pub(super) const ENTRIES: &[Entry] = &[
    reply(
        "HTTP 100",
        &[], // 100 is an errno
        "Continue",
        "between the head and the body of a request",
        "The client has sent the head with Expect: 100-continue and waits \
         before it sends a large body. Now it may; the answer proper is still \
         to come.",
        &["curl with a body of more than a megabyte"],
        SEE,
    ),
    reply(
        "HTTP 200",
        &["200"],
        "OK",
        "the answer to any request; to CONNECT: the tunnel stands",
        "What was asked for follows in the body, as many bytes as \
         Content-Length says, or in chunks.",
        &["the request was right"],
        SEE,
    ),
    reply(
        "HTTP 204",
        &["204"],
        "No Content",
        "OPTIONS, DELETE, PUT",
        "Done, and there is nothing to show: this answer never has a body.",
        &["the request was right"],
        SEE,
    ),
    reply(
        "HTTP 206",
        &["206"],
        "Partial Content",
        "GET with a Range",
        "Only a part of the file follows; Content-Range says which, and of \
         how many bytes. So downloads are resumed.",
        &["the client has asked for a part"],
        &["curl -i -r 0-9 URL  # the first ten bytes"],
    ),
    reply(
        "HTTP 301",
        &["301"],
        "Moved Permanently",
        "GET",
        "The page is at the address in Location, for ever: browsers remember \
         that and ask there the next time.",
        &[
            "a folder without the final slash",
            "http where the server wants https, or another host name",
        ],
        &["curl -i URL  # see Location", "curl -L URL  # follows it"],
    ),
    reply(
        "HTTP 302",
        &["302"],
        "Found",
        "GET, POST",
        "This time the page is at the address in Location; the next time ask \
         here again.",
        &["a log-in page, or a form that was sent"],
        &["curl -i URL  # see Location", "curl -L URL  # follows it"],
    ),
    reply(
        "HTTP 303",
        &["303"],
        "See Other",
        "POST, PUT, DELETE",
        "It is done, and what came of it is at the address in Location: get \
         it with GET, whatever the method was.",
        &["a form that was sent"],
        &["curl -i URL  # see Location", "curl -L URL  # follows it"],
    ),
    reply(
        "HTTP 304",
        &["304"],
        "Not Modified",
        "GET with If-None-Match or If-Modified-Since",
        "What the client or its proxy has kept is still right, so it is not \
         sent again: this answer has no body.",
        &["a page that was loaded before"],
        &["curl -i -H 'Cache-Control: no-cache' URL"],
    ),
    reply(
        "HTTP 307",
        &["307"],
        "Temporary Redirect",
        "any request",
        "As 302, and the method stays: a POST is sent again as a POST, with \
         its body.",
        &["http where the server wants https, for this time"],
        &["curl -i URL  # see Location", "curl -L URL  # follows it"],
    ),
    reply(
        "HTTP 308",
        &["308"],
        "Permanent Redirect",
        "any request",
        "As 301, and the method stays: a POST is sent again as a POST, with \
         its body.",
        &["http where the server wants https, or another host name"],
        &["curl -i URL  # see Location", "curl -L URL  # follows it"],
    ),
    reply(
        "HTTP 400",
        &["400"],
        "Bad Request",
        "any request",
        "What came is not HTTP as it should be. A server that guessed on \
         could take one request for two.",
        &[
            "HTTP/1.1 without a Host line",
            "a blank in the path: write %20",
            "https spoken to a port for http, or the other way round",
        ],
        &["curl -v URL  # compare with what your program sends"],
    ),
    reply(
        "HTTP 401",
        &["401"],
        "Unauthorized",
        "any request",
        "The server wants to know who asks; WWW-Authenticate says how. That \
         is authentication, whatever the words say: 403 is about rights.",
        &["no password was sent, or a wrong one"],
        &["curl -i -u NAME URL"],
    ),
    reply(
        "HTTP 403",
        &["403"],
        "Forbidden",
        "any request",
        "The server has understood and will not do it. The same again will \
         not help.",
        &[
            "the server may not read the file (its permissions)",
            "a rule: an address, a folder without a list, a proxy's port",
        ],
        &["ls -l FILE  # who may read it", "curl -i URL"],
    ),
    reply(
        "HTTP 404",
        &["404"],
        "Not Found",
        "any request",
        "The server runs and was reached, and nothing has this path there.",
        &[
            "a spelling mistake: capitals count in a path",
            "the server was started with another folder",
            "the path reached the wrong server or the wrong host name",
        ],
        &["curl -i URL", "ls FOLDER  # the folder that the server shows"],
    ),
    reply(
        "HTTP 405",
        &["405"],
        "Method Not Allowed",
        "POST, PUT, DELETE",
        "The path is right and the method is not; Allow lists those that \
         are.",
        &["a form that is sent to a file"],
        &["curl -i -X OPTIONS URL  # see Allow"],
    ),
    reply(
        "HTTP 407",
        &["407"],
        "Proxy Authentication Required",
        "any request through a proxy, CONNECT",
        "The proxy wants to know who asks, before the origin has heard of \
         it; Proxy-Authenticate says how.",
        &["no name and password for the proxy, or wrong ones"],
        &["curl -i -x PROXY -U NAME URL", "curl -i --noproxy '*' URL"],
    ),
    reply(
        "HTTP 408",
        &["408"],
        "Request Timeout",
        "any request",
        "The connection stood, but the request was not whole in time. The \
         server closes.",
        &[
            "the empty line that ends the head was never sent",
            "Content-Length is larger than what was sent",
            "a person with nc, who types slowly",
        ],
        SEE,
    ),
    reply(
        "HTTP 411",
        &["411"],
        "Length Required",
        "POST, PUT",
        "A body is to come, and nothing says where it will end.",
        &["neither Content-Length nor chunks"],
        SEE,
    ),
    reply(
        "HTTP 412",
        &["412"],
        "Precondition Failed",
        "a request with If-Match or If-Unmodified-Since",
        "The file is not the one any more that the client speaks of.",
        &["it has changed since the client has seen it"],
        SEE,
    ),
    reply(
        "HTTP 413",
        &["413"],
        "Content Too Large",
        "POST, PUT",
        "The body is larger than this server takes.",
        &["a limit of the server"],
        SEE,
    ),
    reply(
        "HTTP 414",
        &["414"],
        "URI Too Long",
        "any request",
        "The first line is longer than this server reads.",
        &["data in the URL that belong into a body", "a redirect in a loop"],
        SEE,
    ),
    reply(
        "HTTP 416",
        &["416"],
        "Range Not Satisfiable",
        "GET with a Range",
        "The part that was asked for lies behind the end of the file; \
         Content-Range says how long it is.",
        &[
            "the download is complete already",
            "the file has become shorter meanwhile",
        ],
        SEE,
    ),
    reply(
        "HTTP 417",
        &["417"],
        "Expectation Failed",
        "a request with Expect",
        "The server does not do what Expect asks for.",
        &["something else than 100-continue"],
        SEE,
    ),
    reply(
        "HTTP 421",
        &["421"],
        "Misdirected Request",
        "any request",
        "This server is not the one that the request means.",
        &["the proxy's address was taken for the origin's", "a wrong Host"],
        SEE,
    ),
    reply(
        "HTTP 429",
        &["429"],
        "Too Many Requests",
        "any request",
        "The client asks too often; Retry-After may say how long to wait.",
        &["a loop without a pause", "many users behind one address"],
        SEE,
    ),
    reply(
        "HTTP 431",
        &["431"],
        "Request Header Fields Too Large",
        "any request",
        "The head, or a line of it, is longer than this server reads.",
        &["cookies that have piled up", "a line end that never came"],
        SEE,
    ),
    reply(
        "HTTP 500",
        &["500"],
        "Internal Server Error",
        "any request",
        "The server has failed, mostly by a bug. The request may be in \
         order.",
        &["a program behind the server has crashed: its log says more"],
        SEE,
    ),
    reply(
        "HTTP 501",
        &["501"],
        "Not Implemented",
        "any request",
        "The server does not know this method, or this coding of a body, for \
         any path. Compare 405: known, and not for this path.",
        &["a misspelt method: capitals count"],
        SEE,
    ),
    reply(
        "HTTP 502",
        &["502"],
        "Bad Gateway",
        "a proxy",
        "The proxy was reached; the server behind it was not, or what it \
         answered is not HTTP.",
        &[
            "no such name, or nothing listens there",
            "the origin closed or reset before its response was complete",
        ],
        WHO,
    ),
    reply(
        "HTTP 503",
        &["503"],
        "Service Unavailable",
        "any request",
        "Not now: the server is too busy or being repaired. Retry-After may \
         say when to come again.",
        &["all places are taken", "no descriptor or no memory is left"],
        SEE,
    ),
    reply(
        "HTTP 504",
        &["504"],
        "Gateway Timeout",
        "a proxy",
        "The server behind the proxy was silent for too long.",
        &["it is slow, or a firewall drops the packets on the way to it"],
        WHO,
    ),
    reply(
        "HTTP 505",
        &["505"],
        "HTTP Version Not Supported",
        "any request",
        "The first line names a version that this server does not speak: \
         HTTP/1.1 is what it should say.",
        &["a misspelt version", "HTTP/2 without having agreed on it"],
        SEE,
    ),
    reply(
        "HTTP 508",
        &["508"],
        "Loop Detected",
        "a proxy",
        "The request has come back to where it was before.",
        &["a proxy that is its own origin, or two that use each other"],
        WHO,
    ),
];

//! The status codes of web servers and proxies: those of RFC 9110, and the
//! most usual ones of RFC 6585 and 5842.

use super::{Entry, reply};

/// How to see the status and the header fields.
const SEE: &[&str] = &["curl -i URL  # -v: shows the request too"];

/// How to see whether the proxy or the origin server has sent it.
const WHO: &[&str] =
    &["curl -i --noproxy '*' URL  # the origin alone, without the proxy"];

pub(super) const ENTRIES: &[Entry] = &[
    reply(
        "HTTP 100",
        &[], // 100 is an errno
        "Continue",
        "between the head and the body of a request",
        "The client has sent the head with Expect: 100-continue and waits \
         before it sends a large body. Now it may send the body; the final \
         response follows.",
        &["curl with a body of more than a megabyte"],
        SEE,
    ),
    reply(
        "HTTP 200",
        &["200"],
        "OK",
        "the response to any request; to CONNECT: the tunnel is open",
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
        "The server has done it and has nothing to show: this response never \
         has a body.",
        &["the request was right"],
        SEE,
    ),
    reply(
        "HTTP 206",
        &["206"],
        "Partial Content",
        "GET with a Range",
        "Only a part of the file follows. Content-Range says which part, and \
         how long the file is. A client uses this to resume a download.",
        &["the client has asked for a part"],
        &["curl -i -r 0-9 URL  # the first ten bytes"],
    ),
    reply(
        "HTTP 301",
        &["301"],
        "Moved Permanently",
        "GET",
        "The page is now permanently at the address in Location. Browsers \
         remember it and ask there the next time.",
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
        "The server has done it. The result is at the address in Location: \
         fetch it with GET, whatever the method was.",
        &["a form that was sent"],
        &["curl -i URL  # see Location", "curl -L URL  # follows it"],
    ),
    reply(
        "HTTP 304",
        &["304"],
        "Not Modified",
        "GET with If-None-Match or If-Modified-Since",
        "The copy of the client or its proxy is still good, so the server \
         does not send it again: this response has no body.",
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
        "The request is malformed. The server does not guess, because it \
         could take one request for two.",
        &[
            "HTTP/1.1 without a Host line",
            "a space in the path: write %20",
            "https sent to a port for http, or the other way round",
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
        "The server has understood the request and refuses it. To repeat it \
         will not help.",
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
        "The server was reached, but it has nothing at this path.",
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
        "The path is right, but it does not allow this method. Allow lists \
         the methods that it allows.",
        &["a form that is sent to a file"],
        &["curl -i -X OPTIONS URL  # see Allow"],
    ),
    reply(
        "HTTP 407",
        &["407"],
        "Proxy Authentication Required",
        "any request through a proxy, CONNECT",
        "The proxy demands a log-in before it forwards the request. \
         Proxy-Authenticate says how to log in.",
        &["no name and password for the proxy, or wrong ones"],
        &["curl -i -x PROXY -U NAME URL", "curl -i --noproxy '*' URL"],
    ),
    reply(
        "HTTP 408",
        &["408"],
        "Request Timeout",
        "any request",
        "The client connected, but its complete request did not arrive in \
         time. The server closes the connection.",
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
        "The request has a body, but the head does not say where it ends.",
        &["neither Content-Length nor chunks"],
        SEE,
    ),
    reply(
        "HTTP 412",
        &["412"],
        "Precondition Failed",
        "a request with If-Match or If-Unmodified-Since",
        "The file has changed since the client read it.",
        &["another program has changed the file in the meantime"],
        SEE,
    ),
    reply(
        "HTTP 413",
        &["413"],
        "Content Too Large",
        "POST, PUT",
        "The body is larger than this server accepts.",
        &["a limit of the server"],
        SEE,
    ),
    reply(
        "HTTP 414",
        &["414"],
        "URI Too Long",
        "any request",
        "The first line is longer than this server reads.",
        &["data in the URL that belongs in a body", "a redirect in a loop"],
        SEE,
    ),
    reply(
        "HTTP 416",
        &["416"],
        "Range Not Satisfiable",
        "GET with a Range",
        "The requested part begins after the end of the file. Content-Range \
         says how long the file is.",
        &[
            "the download is complete already",
            "the file has become shorter in the meantime",
        ],
        SEE,
    ),
    reply(
        "HTTP 417",
        &["417"],
        "Expectation Failed",
        "a request with Expect",
        "The server does not support what Expect demands.",
        &["a value other than 100-continue"],
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
        &["a loop without a pause", "many users who share one address"],
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
        "The server has failed, usually because of a bug. The request may be \
         correct.",
        &["a program of the server has crashed: its log says more"],
        SEE,
    ),
    reply(
        "HTTP 501",
        &["501"],
        "Not Implemented",
        "any request",
        "The server does not support this method, or this coding of a body, \
         for any path. Compare 405: supported, but not for this path.",
        &["a misspelt method: capitals count"],
        SEE,
    ),
    reply(
        "HTTP 502",
        &["502"],
        "Bad Gateway",
        "a proxy",
        "The proxy was reached. But the proxy could not reach the origin \
         server, or its response is not HTTP.",
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
        "The server is too busy at the moment, or under repair. Retry-After \
         may say when to try again.",
        &["too many clients at once", "no descriptor or memory is left"],
        SEE,
    ),
    reply(
        "HTTP 504",
        &["504"],
        "Gateway Timeout",
        "a proxy",
        "The origin server did not reply to the proxy in time.",
        &["it is slow, or a firewall drops the packets on the path to it"],
        WHO,
    ),
    reply(
        "HTTP 505",
        &["505"],
        "HTTP Version Not Supported",
        "any request",
        "The first line names a version that this server does not support. \
         Use HTTP/1.1.",
        &["a misspelt version", "HTTP/2 without having agreed on it"],
        SEE,
    ),
    reply(
        "HTTP 508",
        &["508"],
        "Loop Detected",
        "a proxy",
        "The request has come back to a proxy that forwarded it before.",
        &["a proxy that is its own origin, or two that use each other"],
        WHO,
    ),
];

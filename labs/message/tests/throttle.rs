//! Task 2: guessing is slowed down. At the login once; the rules of the wait
//! without a socket, at moments of the test's choice.

use std::net::{IpAddr, Ipv6Addr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::{SECRET, answers_to, guarded};
use harness::{receive_line, send};
use message::throttle::{Attempt, Throttle};

#[test]
fn d_t2_1_guessing_is_slowed_down_but_not_for_the_others() {
    let server = guarded("password", &[]);
    let guess = || answers_to(&server, b"LOGIN guess\nhello\n");
    assert_eq!(guess(), "AUTH password\nNO wrong secret\n");
    assert_eq!(guess(), "AUTH password\nNO wrong secret\n");
    let third = "AUTH password\nNO wrong secret: now wait 1 s\n";
    assert_eq!(guess(), third);
    // Not looked at; or, should this have taken a second, a longer wait.
    let fourth = guess();
    assert!(
        fourth.contains("NO too many failures: wait 1 s")
            || fourth.contains("NO wrong secret: now wait 2 s"),
        "{fourth}"
    );
    let other = socket2::Socket::new(
        socket2::Domain::IPV4,
        socket2::Type::STREAM,
        None,
    )
    .expect("a socket");
    let second_host = std::net::SocketAddr::from(([127, 0, 0, 2], 0));
    if other.bind(&second_host.into()).is_ok() {
        other.connect(&server.address.into()).expect("it accepts");
        let other = TcpStream::from(other);
        send(&other, format!("LOGIN {SECRET}\n").as_bytes());
        assert_eq!(receive_line(&other), "AUTH password");
        assert_eq!(receive_line(&other), "OK logged in");
    }
}

const ANNE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

const BERT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn d_t2_1_the_wait_grows_after_three_failures_up_to_a_minute() {
    let (throttle, mut now) = (Throttle::default(), Instant::now());
    for wait in [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60].map(seconds) {
        let attempt = throttle.attempt(ANNE, now, false);
        assert_eq!(attempt, Attempt::Wrong(wait));
        now += wait;
    }
    for _ in 0..100 {
        let attempt = throttle.attempt(ANNE, now, false);
        assert_eq!(attempt, Attempt::Wrong(seconds(60)));
        now += seconds(60);
    }
}

#[test]
fn d_t2_1_who_comes_too_early_is_not_looked_at_even_if_right() {
    let (throttle, now) = (Throttle::default(), Instant::now());
    for _ in 0..3 {
        throttle.attempt(ANNE, now, false);
    }
    let attempt = throttle.attempt(ANNE, now, true);
    assert_eq!(attempt, Attempt::TooEarly(seconds(1)));
    // The others do not wait for Anne.
    assert_eq!(throttle.attempt(BERT, now, true), Attempt::Right);
    // After the wait the client is checked, and its count starts anew.
    let later = now + seconds(1);
    assert_eq!(throttle.attempt(ANNE, later, true), Attempt::Right);
    let wrong = throttle.attempt(ANNE, later, false);
    assert_eq!(wrong, Attempt::Wrong(Duration::ZERO));
}

#[test]
fn d_t2_1_a_thousand_guesses_at_one_moment_are_three() {
    let (throttle, now) = (Throttle::default(), Instant::now());
    let looked_at = std::sync::atomic::AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..125 {
                    let attempt = throttle.attempt(ANNE, now, false);
                    let counts = !matches!(attempt, Attempt::TooEarly(_));
                    looked_at.fetch_add(
                        u32::from(counts),
                        std::sync::atomic::Ordering::Relaxed,
                    );
                }
            });
        }
    });
    assert_eq!(looked_at.into_inner(), 3);
}

#[test]
fn d_t2_1_the_ipv6_addresses_of_one_subscriber_count_as_one() {
    let (throttle, now) = (Throttle::default(), Instant::now());
    let subscriber = |n: u128| IpAddr::V6(Ipv6Addr::from((0x2001 << 112) | n));
    for number in 0..3 {
        throttle.attempt(subscriber(number), now, false);
    }
    let early = throttle.attempt(subscriber(9), now, true);
    assert_eq!(early, Attempt::TooEarly(seconds(1)));
}

/// Failures from this many addresses, in this many rounds, all at one moment.
/// Returns how many were checked.
fn rounds(
    throttle: &Throttle,
    now: Instant,
    addresses: u32,
    rounds: u32,
) -> u32 {
    let mut looked_at = 0;
    for number in (0..rounds).flat_map(|_| 0..addresses) {
        let address = IpAddr::V4((0x7f00_0000 | number).into());
        let attempt = throttle.attempt(address, now, false);
        looked_at += u32::from(!matches!(attempt, Attempt::TooEarly(_)));
    }
    looked_at
}

#[test]
fn d_t2_1_more_addresses_than_fit_into_the_table_have_to_wait_too() {
    // Three tries a row, and three for all that have none together; before,
    // each address pushed out the next, and all 10,300 were looked at.
    let (throttle, now) = (Throttle::default(), Instant::now());
    assert_eq!(rounds(&throttle, now, 1030, 10), 3 * 1024 + 3);
    // Five thousand get no more tries, and need no more memory.
    let throttle = Throttle::default();
    assert_eq!(rounds(&throttle, now, 5000, 1), 1024 + 3);
}

#[test]
fn d_t2_1_a_full_table_keeps_the_known_apart_and_makes_room_later() {
    let (throttle, now) = (Throttle::default(), Instant::now());
    throttle.attempt(ANNE, now, false);
    rounds(&throttle, now, 1030, 3);
    // Anne has a row, and two more tries; Bert has to wait with the crowd.
    let wrong = throttle.attempt(ANNE, now, false);
    assert_eq!(wrong, Attempt::Wrong(seconds(0)));
    let early = throttle.attempt(BERT, now, true);
    assert_eq!(early, Attempt::TooEarly(seconds(1)));
    // A right secret then does not reset the count of the others.
    let later = now + seconds(1);
    assert_eq!(throttle.attempt(BERT, later, true), Attempt::Right);
    let wrong = throttle.attempt(BERT, later, false);
    assert_eq!(wrong, Attempt::Wrong(seconds(2)));
    // Once the failures are forgotten, there is a row for everybody.
    let much_later = now + seconds(700);
    let wrong = throttle.attempt(BERT, much_later, false);
    assert_eq!(wrong, Attempt::Wrong(seconds(0)));
    assert_eq!(rounds(&throttle, much_later, 1000, 3), 3000);
}

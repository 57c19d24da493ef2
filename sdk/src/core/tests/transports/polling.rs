//! Sessions that are carried by HTTP exchanges.

use super::super::pair::*;
use super::*;

#[test]
fn polling_opens_a_session_and_says_which_transport_it_is() {
    let mut pair = with(&[Transport::Polling], |config| config.query = "a=b".to_owned());
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    let first = get(&pair);
    assert_eq!(target(&pair, first), "/socket.io/?EIO=4&transport=polling&t=1&a=b");
    polled(&mut pair, OPEN);
    let second = get(&pair);
    assert_eq!(
        target(&pair, second),
        "/socket.io/?EIO=4&transport=polling&sid=e1&t=2&a=b"
    );
    assert_eq!(posted(&mut pair), "40");
    polled(&mut pair, CONNECT);
    let change = pair.core.last_change(pair.socket).unwrap();
    assert_eq!(
        (change.state, change.transport),
        (State::Connected, Some(Transport::Polling))
    );
    assert!(
        open_requests(&pair).iter().all(|(_, method)| *method == Method::Get),
        "no WebSocket is tried"
    );
}

#[test]
fn several_packets_come_in_one_answer_and_binary_as_base64() {
    let mut pair = polling();
    polled(
        &mut pair,
        "42[\"a\"]\u{1e}451-[\"b\",{\"_placeholder\":true,\"num\":0}]\u{1e}bAQID\u{1e}42[\"c\"]",
    );
    let heard = pair.heard();
    assert_eq!(heard.len(), 3);
    assert!(heard[0].starts_with("a ") && heard[1].starts_with("b ") && heard[2].starts_with("c "));
}

#[test]
fn a_batch_is_split_to_fit_and_sent_only_when_the_last_part_is_taken() {
    let mut pair = polling();
    let receipts: Vec<Receipt> = (0..5)
        .map(|n| {
            pair.emit(
                &format!("event{n}"),
                &format!("[\"{}\"]", "x".repeat(30)),
                EmitOptions::new(),
            )
        })
        .collect();
    pair.drain();
    let mut bodies = Vec::new();
    while post(&pair).is_some() {
        assert_eq!(
            names(&receipts),
            ["none"; 5],
            "all of a batch is written before any of it counts as sent"
        );
        bodies.push(posted(&mut pair));
    }
    assert_eq!(names(&receipts), ["sent"; 5]);
    assert!(
        bodies.len() > 1 && bodies.iter().all(|body| body.len() <= 100),
        "{bodies:?}"
    );
    let packets: Vec<_> = bodies.iter().flat_map(|body| body.split('\u{1e}')).collect();
    assert_eq!(packets.len(), 5);
    assert!(
        packets
            .iter()
            .enumerate()
            .all(|(n, packet)| packet.starts_with(&format!("42[\"event{n}")))
    );
}

#[test]
fn what_is_emitted_while_a_batch_is_under_way_goes_with_the_next() {
    let mut pair = polling();
    let _receipt = pair.say("a");
    let _receipt = pair.say("b");
    let _receipt = pair.say("c");
    assert_eq!(posted(&mut pair), "42[\"a\"]");
    assert_eq!(posted(&mut pair), "42[\"b\"]\u{1e}42[\"c\"]");
}

#[test]
fn an_attachment_that_fits_only_without_base64_is_refused_on_polling() {
    let mut pair = polling();
    let args = crate::payload::RawArgs {
        json: r#"[{"_placeholder":true,"num":0}]"#.to_owned(),
        attachments: vec![vec![7; 80].into()],
    };
    let emission = crate::core::Emission::new("file", args, EmitOptions::new()).unwrap();
    let receipt = pair.core.emit(pair.now, pair.socket, emission);
    pair.drain();
    assert_eq!(names(&[receipt]), ["rejected"]);
    assert!(post(&pair).is_none());
}

#[test]
fn a_lost_post_leaves_its_messages_unconfirmed_and_the_link_is_made_anew() {
    let mut pair = polling();
    let receipt = pair.say("a");
    let (link, _) = post(&pair).unwrap();
    pair.stopped.push(link);
    pair.event(link, LinkEvent::Closed(Some(Error::Unreachable("reset".into()))));
    assert_eq!(names(&[receipt]), ["unconfirmed"]);
    assert_eq!(pair.states().last().unwrap().1, Some(Reason::TransportError));
    assert!(open_requests(&pair).is_empty(), "the GET is stopped too");
}

#[test]
fn a_session_that_the_server_does_not_know_any_more_is_made_anew_and_told() {
    let mut pair = polling();
    let link = get(&pair);
    answer(&mut pair, link, 400, r#"{"code":1,"message":"Session ID unknown"}"#);
    let change = pair.core.last_change(pair.socket).unwrap();
    let text = change.error.as_ref().unwrap().to_string();
    assert!(text.contains("400") && text.contains("Session ID unknown"), "{text}");
    pair.sleep(secs(2));
    assert_eq!(target(&pair, get(&pair)).matches("sid=").count(), 0, "a new session");
}

#[test]
fn a_ping_is_answered_and_silence_ends_the_link() {
    let mut pair = polling();
    pair.sleep(secs(25));
    polled(&mut pair, "2");
    assert_eq!(posted(&mut pair), "3");
    pair.sleep(secs(46));
    assert_eq!(pair.states()[0].1, Some(Reason::PingTimeout));
}

#[test]
fn the_servers_close_packet_ends_the_session() {
    let mut pair = polling();
    polled(&mut pair, "1");
    assert_eq!(pair.states()[0].1, Some(Reason::TransportClose));
    assert!(
        open_requests(&pair).is_empty(),
        "nothing more is asked of a session that is closed"
    );
}

#[test]
fn disconnect_tells_the_server_by_a_last_post() {
    let mut pair = polling();
    let _receipt = pair.say("a");
    pair.core.disconnect(pair.now, pair.socket);
    pair.drain();
    assert_eq!(posted(&mut pair), "42[\"a\"]");
    assert_eq!([posted(&mut pair), posted(&mut pair)], ["41", "1"]);
    assert!(open_requests(&pair).is_empty());
}

#[test]
fn a_session_whose_last_namespace_the_server_has_ended_is_closed() {
    let mut pair = polling();
    polled(&mut pair, "41");
    assert!(matches!(pair.state(), State::Waiting { .. }));
    assert_eq!(posted(&mut pair), "1");
    assert!(open_requests(&pair).is_empty());
    pair.sleep(secs(1));
    assert_eq!(open_requests(&pair).len(), 1, "a new session");
}

#[test]
fn a_probe_on_polling_is_a_connect_to_a_namespace_that_does_not_exist() {
    let mut pair = polling();
    let receipt = pair.emit("a", "[]", EmitOptions::new().timeout(secs(1)));
    pair.drain();
    assert_eq!(posted(&mut pair), "420[\"a\"]");
    pair.sleep(secs(2));
    assert_eq!(names(&[receipt]), ["unconfirmed"]);
    assert_eq!(posted(&mut pair), "40/rejoin-probe,");
    polled(&mut pair, r#"44/rejoin-probe,{"message":"Invalid namespace"}"#);
    pair.sleep(secs(3));
    assert_eq!(pair.state(), State::Connected);
}

#[test]
fn a_probe_that_is_answered_before_its_post_is_over() {
    let mut pair = polling();
    pair.core.hint(pair.now, Hint::Online);
    pair.drain();
    let (link, body) = post(&pair).expect("a probe");
    assert_eq!(body, "40/rejoin-probe,");
    polled(&mut pair, r#"44/rejoin-probe,{"message":"Invalid namespace"}"#);
    answer(&mut pair, link, 200, "ok");
    pair.sleep(secs(3));
    assert!(pair.states().is_empty());
}

#[test]
fn what_answers_instead_of_a_socketio_server_is_said_by_name() {
    for (status, body, words) in [
        (200, "<!DOCTYPE html><html>login</html>", "web page"),
        (200, "40{}", "opens no session"),
        (302, "", "redirect"),
        (502, "<html>Bad Gateway</html>", "502"),
        (
            400,
            r#"{"code":5,"message":"Unsupported protocol version"}"#,
            "Unsupported protocol version",
        ),
    ] {
        let mut pair = with(&[Transport::Polling], |_| {});
        pair.core.connect(pair.now, pair.socket);
        pair.drain();
        let link = get(&pair);
        answer(&mut pair, link, status, body);
        let change = pair.core.last_change(pair.socket).unwrap();
        let error = change.error.clone().unwrap();
        assert_eq!((error.code(), change.reason), (2004, Some(Reason::ConnectError)));
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_get_that_breaks_does_not_cut_off_the_last_words() {
    let mut pair = polling();
    let said = pair.say("a");
    pair.core.disconnect(pair.now, pair.socket);
    pair.drain();
    let link = get(&pair);
    pair.stopped.push(link);
    pair.event(link, LinkEvent::Closed(Some(Error::Unreachable("reset".into()))));
    assert_eq!(
        [posted(&mut pair), posted(&mut pair), posted(&mut pair)],
        ["42[\"a\"]", "41", "1"]
    );
    assert_eq!(names(&[said]), ["sent"]);
}

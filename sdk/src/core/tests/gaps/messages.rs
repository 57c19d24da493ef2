//! The queue, the store and outcomes.

use super::*;

#[test]
fn what_a_dead_link_had_goes_back_behind_older_messages_that_were_held() {
    let mut pair = greeted();
    let _join = pair.core.join_room(pair.now, pair.socket, "a", None);
    let options = EmitOptions::new().reliable().lane(room_lane("a"));
    let emission = Emission::of_object("group_message", br#"{"roomId":"a"}"#, options);
    let held = pair.core.emit(pair.now, pair.socket, emission);
    let written = reliable(&mut pair, EmitOptions::new());
    pair.cut();
    let order: Vec<u64> = pair.core.pending(pair.socket).iter().map(|m| m.receipt).collect();
    assert_eq!(order, [held.id(), written.id()]);
}

#[test]
fn a_reliable_message_sent_before_the_greeting_waits_for_it_though_the_socket_is_connected() {
    let mut pair = Pair::chat();
    pair.connect();
    assert_eq!(pair.state(), State::Connected);
    let _receipt = reliable(&mut pair, EmitOptions::new());
    assert!(pair.frames().is_empty());
    pair.server(GREETING);
    assert!(pair.frames()[0].starts_with("420"), "acknowledged");
}

#[test]
fn a_server_that_acknowledges_but_keeps_duplicates_never_sees_a_message_twice() {
    let mut pair = Pair::chat();
    pair.connect();
    pair.server(r#"42["connection_status",{"connected":true,"features":["ack"]}]"#);
    let receipt = reliable(&mut pair, EmitOptions::new());
    pair.cut();
    assert_eq!(error_of(&receipt), Error::LinkLost);
}

#[test]
fn a_link_that_dies_with_more_than_the_queue_holds_drops_the_oldest() {
    let mut namespace = NamespaceConfig::new("/");
    namespace.queue.capacity = 2;
    let mut pair = Pair::with(config(), namespace);
    pair.connect();
    pair.writes = false;
    let receipts = ["a", "b", "c", "d"].map(|event| pair.say(event));
    pair.cut();
    assert_eq!(names(&receipts), ["unconfirmed", "dropped", "none", "none"]);
    assert!(matches!(&pair.notices()[..], [Notice::Overflow { receipt, .. }] if *receipt == receipts[1].id()));
}

#[test]
fn unanswered_bytes_fill_the_queue_while_connected() {
    let mut namespace = chat_config();
    namespace.queue.bytes = 200;
    let mut pair = greeted_with(config(), namespace);
    let text = format!(r#"[{{"t":"{}"}}]"#, "x".repeat(60));
    let receipts = [0, 1].map(|_| pair.emit("m", &text, EmitOptions::new().reliable()));
    pair.drain();
    assert_eq!(names(&receipts), ["none", "rejected"]);
    assert_eq!(error_of(&receipts[1]), Error::Overloaded);
}

#[test]
fn a_message_larger_than_the_outgoing_buffer_goes_when_nothing_waits_and_volatile_never_waits() {
    let mut config = config();
    config.limits.outgoing = 100;
    let mut pair = Pair::with(config, NamespaceConfig::new("/"));
    pair.connect();
    let text = format!("[\"{}\"]", "x".repeat(200));
    let large = pair.emit("m", &text, EmitOptions::new());
    pair.drain();
    assert_eq!(names(&[large]), ["sent"]);
    pair.writes = false;
    let _flying = pair.emit("m", &text, EmitOptions::new());
    pair.drain();
    let volatile = pair.emit("v", "[]", EmitOptions::new().volatile());
    assert_eq!(names(&[volatile]), ["dropped"]);
}

#[test]
fn what_was_written_and_is_over_while_it_waits_to_be_sent_again_is_unconfirmed() {
    type Ending = fn(&mut Pair, u64);
    let endings: [Ending; 3] = [
        |pair, _| pair.sleep(secs(3)),
        |pair, seq| assert!(pair.core.cancel(pair.now, pair.socket, seq)),
        |pair, _| pair.core.clear(pair.now, pair.socket),
    ];
    for ending in endings {
        let mut pair = greeted();
        let receipt = reliable(&mut pair, EmitOptions::new().ttl(secs(3)));
        pair.cut();
        ending(&mut pair, receipt.id());
        pair.drain();
        assert_eq!(error_of(&receipt), Error::LinkLost);
        assert_eq!(names(&[receipt]), ["unconfirmed"]);
    }
}

#[test]
fn an_unanswered_message_that_would_be_sent_again_can_be_cancelled() {
    let mut pair = greeted();
    let receipt = reliable(&mut pair, EmitOptions::new());
    assert!(pair.core.cancel(pair.now, pair.socket, receipt.id()));
    pair.drain();
    assert_eq!(error_of(&receipt), Error::LinkLost);
    pair.cut();
    assert!(pair.core.pending(pair.socket).is_empty());
}

#[test]
fn new_messages_come_behind_restored_ones_and_those_keep_their_time_to_live() {
    let mut first = Pair::with(stored(), chat_config());
    let _old = ["a", "b"].map(|event| first.emit(event, "[{}]", EmitOptions::new().reliable().ttl(secs(2))));
    first.drain();
    let mut next = Pair::with(stored(), chat_config());
    let records = first.transactions.remove(0).put;
    let last = records[1].seq;
    next.core.restore(next.now, contents(records));
    let new = reliable(&mut next, EmitOptions::new());
    assert!(new.id() > last);
    next.sleep(secs(2));
    let left: Vec<u64> = next.core.pending(next.socket).iter().map(|m| m.receipt).collect();
    assert_eq!(left, [new.id()]);
}

#[test]
fn a_store_that_fails_is_told_and_refuses_only_what_was_not_written() {
    let mut pair = greeted_with(stored(), chat_config());
    let written = reliable(&mut pair, EmitOptions::new());
    pair.cut();
    let waiting = reliable(&mut pair, EmitOptions::new());
    let error = Error::Store("disk full".into());
    pair.core.handle_store_error(pair.now, pair.turn, &error);
    pair.drain();
    assert_eq!(names(&[written, waiting]), ["none", "rejected"]);
    assert_eq!(pair.notices().last(), Some(&Notice::StoreError(error)));
}

#[test]
fn without_a_store_a_message_is_accepted_at_once() {
    let mut pair = Pair::new();
    let receipt = reliable(&mut pair, EmitOptions::new());
    assert_eq!(
        (receipt.accepted().now_or_never(), receipt.outcome()),
        (Some(Ok(())), None)
    );
}

#[test]
fn an_outcome_wakes_everyone_who_waits_for_it() {
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let mut pair = Pair::with(stored(), chat_config());
    let mut receipt = reliable(&mut pair, EmitOptions::new());
    let mut accepted = receipt.accepted();
    let counts = [(); 2].map(|()| Arc::new(Count(AtomicUsize::new(0))));
    let wakers = counts.clone().map(Waker::from);
    assert!(receipt.poll_unpin(&mut Context::from_waker(&wakers[0])).is_pending());
    assert!(accepted.poll_unpin(&mut Context::from_waker(&wakers[1])).is_pending());
    pair.core.clear(pair.now, pair.socket);
    pair.drain();
    pair.core
        .handle_store_error(pair.now, pair.turn, &Error::Store("disk full".into()));
    pair.drain();
    assert_eq!(counts.map(|count| count.0.load(Ordering::Relaxed)), [1, 1]);
}

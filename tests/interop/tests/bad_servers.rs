//! Servers that say what a Socket.IO server should not.

use rejoin_interop::{NodeServer, Testee, options};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[tokio::test]
async fn a_packet_that_cannot_be_read_closes_the_link_and_a_new_one_is_opened() {
    let server = NodeServer::start(json!({})).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(json!({}))).await;
    testee.connected("a").await;
    // An unknown type, no list, no name, a broken list, an attachment that comes as text.
    for packet in [
        "9[]",
        "2{}",
        "2[]",
        "2[\"x\",",
        "51-[\"x\",{\"_placeholder\":true,\"num\":0}]",
    ] {
        server.write_raw(packet).await;
        if packet.starts_with('5') {
            server.write_raw("2[\"text\"]").await;
        }
        let waiting = testee.wait_state("a", "waiting").await;
        assert_eq!(waiting["reason"], "parse error", "{packet}");
        assert_eq!(waiting["error"]["code"], 2005, "{packet}");
        testee.wait_state("a", "connected").await;
        assert_eq!(testee.request("a", "echo", json!([packet])).await, [json!(packet)]);
    }
    server.wait_open_links(1).await;
}

#[tokio::test]
async fn a_packet_for_nobody_is_ignored() {
    let server = NodeServer::start(json!({})).await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(json!({}))).await;
    testee.on("a", "*").await;
    testee.connected("a").await;
    // A namespace that was not joined, and an acknowledgement that nobody asked for.
    for packet in ["2/nowhere,[\"x\"]", "3/nowhere,1[]", "3999[]", "1/nowhere,"] {
        server.write_raw(packet).await;
    }
    server.emit("end", json!([])).await;
    testee.next_event("a", "end").await;
    assert_eq!(testee.states("a"), ["connecting", "connected"]);
}

#[tokio::test]
async fn a_server_of_something_else_is_a_handshake_error_and_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream
                .write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
                .await;
        }
    });
    let testee = Testee::start();
    testee.create("a", &url, options(json!({}))).await;
    testee.connect("a").await;
    for _ in 0..2 {
        let waiting = testee.wait_state("a", "waiting").await;
        assert_eq!(waiting["reason"], "connect error");
        assert_eq!(waiting["error"]["code"], 2004, "{waiting}");
    }
}

//! What two threads share, where there are threads.

use futures::StreamExt;

use crate::stream::{Lagged, tests::pair};

#[tokio::test]
async fn every_event_is_read_or_told_as_missed_between_two_threads() {
    const EVENTS: u32 = 20_000;
    let (mut stream, end) = pair(16);
    let writer = std::thread::spawn(move || (0..EVENTS).for_each(|n| end.feed(n)));
    let mut expected = 0;
    while let Some(item) = stream.next().await {
        match item {
            Ok(event) => {
                assert_eq!(event, expected);
                expected += 1;
            }
            Err(Lagged(missed)) => expected += u32::try_from(missed).expect("few"),
        }
    }
    assert_eq!(expected, EVENTS);
    writer.join().expect("it ended");
}

//! One HTTP exchange as a wire, whoever makes it.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::FutureExt;

use super::{Task, Wire};
use crate::core::{Frame, LinkEvent, Response};
use crate::error::Error;

/// How long a POST may take that nobody waits for any more.
const CLOSE: Duration = Duration::from_secs(1);

/// A request and its answer. Dropping it breaks it off.
pub(super) struct Exchange {
    /// None once it has been handed over.
    answer: Option<Task<Result<Response, Error>>>,
    is_post: bool,
    sleep: fn(Duration) -> Task<()>,
}

impl Exchange {
    /// Starts with the first poll.
    pub(super) fn new(is_post: bool, answer: Task<Result<Response, Error>>, sleep: fn(Duration) -> Task<()>) -> Self {
        Self {
            answer: Some(answer),
            is_post,
            sleep,
        }
    }
}

impl Wire for Exchange {
    fn poll_event(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<LinkEvent> {
        // What a GET brings waits in the system's buffers, so that the server feels it.
        let Some(answer) = self.answer.as_mut().filter(|_| read || self.is_post) else {
            return Poll::Pending;
        };
        let result = ready!(answer.poll_unpin(cx));
        self.answer = None;
        Poll::Ready(match result {
            Ok(response) => LinkEvent::Response(response),
            Err(error) => LinkEvent::Closed(Some(error)),
        })
    }

    fn send(&mut self, _: Vec<Frame>) {}

    fn close(self: Box<Self>) -> Task<()> {
        let Self { answer, is_post, sleep } = *self;
        match answer {
            Some(answer) if is_post => Box::pin(async move {
                futures::future::select(answer, sleep(CLOSE)).await;
            }),
            _ => Box::pin(async {}),
        }
    }
}

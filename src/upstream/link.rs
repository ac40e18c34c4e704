//! One HTTP/1.1 connection to an upstream. Whoever uses it drives it: the request until its head is answered, then the
//! reader of the answer's body. A task of its own for each connection would have to be woken twice a request, often on
//! another processor, to do the same.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::rt::Executor;
use hyper_rustls::MaybeHttpsStream;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::unconstrained;

use super::pool::Pool;
use crate::body::Outgoing;

/// The socket of a connection, with TLS or without.
pub(super) type Io = MaybeHttpsStream<TokioIo<TcpStream>>;

/// Why a request was not answered.
pub(super) struct Unanswered {
    /// The request, if no byte of it was sent.
    pub(super) unsent: Option<Request<Outgoing>>,
    /// What the HTTP library says.
    pub(super) error: Option<hyper::Error>,
}

/// A connection that carries one request at a time.
pub(super) struct Link {
    send: http1::SendRequest<Outgoing>,
    connection: http1::Connection<Io, Outgoing>,
    /// It has come to its end.
    over: bool,
}

impl Link {
    /// Speaks HTTP/1.1 over a socket.
    pub(super) async fn new(io: Io) -> hyper::Result<Box<Self>> {
        let (send, connection) = http1::Builder::new().handshake(io).await?;
        Ok(Box::new(Self { send, connection, over: false }))
    }

    /// Goes on with reading and writing. It is ready when the connection is over.
    fn drive(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // How it ended is told to whoever waits for the answer, or for its body.
        self.over = self.over || Pin::new(&mut self.connection).poll(cx).is_ready();
        if self.over { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Whether a connection that was put aside can still be used: its upstream has not closed it, nor said anything unasked.
    pub(super) fn fresh(&mut self) -> bool {
        let mut nobody = Context::from_waker(Waker::noop());
        self.drive(&mut nobody).is_pending() && !self.send.is_closed()
    }

    /// Whether all of the last request was sent and all of its answer read.
    fn idle(&self) -> bool {
        self.send.is_ready()
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn send(
        &mut self,
        request: Request<Outgoing>,
    ) -> Result<Response<Incoming>, Box<Unanswered>> {
        let mut answer = pin!(unconstrained(self.send.try_send_request(request)));
        std::future::poll_fn(|cx| {
            let over = self.drive(cx).is_ready();
            // The answer comes from the connection alone, which was driven just now: nobody else has to be woken.
            match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Ok(response)) => Poll::Ready(Ok(response)),
                Poll::Ready(Err(mut failed)) => {
                    let unsent = failed.take_message();
                    Poll::Ready(Err(Box::new(Unanswered { unsent, error: Some(failed.into_error()) })))
                }
                Poll::Pending if over => Poll::Ready(Err(Box::new(Unanswered { unsent: None, error: None }))),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

/// The body of an upstream's answer. Reading it drives the connection that it comes from.
pub struct AnswerBody {
    incoming: Incoming,
    /// The connection, until it has nothing more to do with this answer.
    link: Option<(Box<Link>, Arc<Pool>)>,
}

impl AnswerBody {
    /// A body that comes over a connection of its own.
    pub(super) fn over(incoming: Incoming, link: Box<Link>, pool: &Arc<Pool>) -> Self {
        let mut body = Self { incoming, link: Some((link, Arc::clone(pool))) };
        if body.link.as_ref().is_some_and(|(link, _)| link.idle()) {
            body.release();
        }
        body
    }

    /// A body whose connection is driven by somebody else.
    pub(super) const fn shared(incoming: Incoming) -> Self {
        Self { incoming, link: None }
    }

    /// The answer is whole. What is left of the request, if its upstream answered before it had read all of it, goes on by
    /// itself, for as long as an answer is waited for; the connection is put aside when it has nothing to do.
    fn release(&mut self) {
        let Some((mut link, pool)) = self.link.take() else { return };
        if link.idle() {
            pool.put(link);
            return;
        }
        TokioExecutor::new().execute(async move {
            let over = std::future::poll_fn(|cx| match link.drive(cx) {
                Poll::Ready(()) => Poll::Ready(true),
                Poll::Pending if link.idle() => Poll::Ready(false),
                Poll::Pending => Poll::Pending,
            });
            if tokio::time::timeout(pool.patience(), over).await == Ok(false) {
                pool.put(link);
            }
        });
    }
}

impl std::fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnswerBody").finish_non_exhaustive()
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        if let Some((link, _)) = &mut this.link
            && link.drive(cx).is_ready()
        {
            // What it had read waits in the body.
            this.link = None;
        }
        let polled = Pin::new(&mut this.incoming).poll_frame(cx);
        let whole = match &polled {
            Poll::Ready(None) => true,
            Poll::Ready(Some(Ok(_))) => this.incoming.is_end_stream(),
            Poll::Ready(Some(Err(_))) | Poll::Pending => false,
        };
        if whole {
            this.release();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

//! A connection's bytes on their way between TLS and HTTP: the clock learns that some came, the framing is looked at, and
//! the end is made gently.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};
use tokio_rustls::server::TlsStream;

use super::activity::Activity;
use super::buffered::Buffered;
use super::sniff::Sniffer;

/// How long to wait for more of what nobody will read.
const LINGER_QUIET: Duration = Duration::from_secs(2);
/// How long to throw away what nobody will read, in all.
const LINGER_TOTAL: Duration = Duration::from_secs(30);

/// A TLS stream that is watched.
pub(super) struct Watched {
    tls: TlsStream<Buffered>,
    activity: Arc<Activity>,
    sniffer: Option<Sniffer>,
    /// The peer has sent all it will.
    ended: bool,
    linger: Option<Linger>,
}

struct Linger {
    until: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Watched {
    pub(super) fn new(tls: TlsStream<Buffered>, activity: Arc<Activity>) -> Self {
        let sniffer = activity.is_http1().then(Sniffer::new);
        Self { tls, activity, sniffer, ended: false, linger: None }
    }

    /// Reads and drops until the peer has closed its side too. To close a socket that still has unread bytes makes the
    /// kernel send a reset, and a reset can overtake an answer that the peer has not read yet: a client that is sending a
    /// large upload would see a broken connection in place of the refusal.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let linger = self.linger.get_or_insert_with(|| Linger {
            until: Instant::now() + LINGER_TOTAL,
            timer: Box::pin(sleep(LINGER_QUIET)),
        });
        let mut waste = [0_u8; 16 * 1024];
        let mut got = false;
        loop {
            let mut buffer = ReadBuf::new(&mut waste);
            match Pin::new(&mut *self.tls.get_mut().0).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => got = true,
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => break,
            }
            if Instant::now() >= linger.until {
                return Poll::Ready(());
            }
        }
        if got {
            linger.timer.as_mut().reset((Instant::now() + LINGER_QUIET).min(linger.until));
        }
        linger.timer.as_mut().poll(cx)
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.activity.hung_up() {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.tls).poll_read(cx, buffer))?;
        let new = buffer.filled().get(before..).unwrap_or_default();
        if new.is_empty() {
            this.ended = true;
            return Poll::Ready(Ok(()));
        }
        let quiet = this.activity.read();
        if let Some(sniffer) = &mut this.sniffer
            && sniffer.read(new, quiet)
        {
            this.activity.taint();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tls).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tls).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.tls.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tls).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.tls).poll_shutdown(cx))?;
        }
        if !this.ended {
            ready!(this.poll_linger(cx));
            this.ended = true;
        }
        Poll::Ready(Ok(()))
    }
}

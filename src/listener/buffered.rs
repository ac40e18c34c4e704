//! A socket that is read in large pieces. The TLS library asks for 4 KiB at a time, which for a large record means a call to
//! the system for every quarter of it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::io::poll_read_buf;

/// A whole TLS record, and the beginning of the next.
const LARGE: usize = 18 * 1024;

/// A socket with what was read of it and not yet asked for. Nothing is kept for a socket that waits.
pub(super) struct Buffered {
    socket: TcpStream,
    kept: BytesMut,
    /// The last read filled what it was given: there is more.
    more: bool,
}

impl Buffered {
    pub(super) fn new(socket: TcpStream) -> Self {
        Self { socket, kept: BytesMut::new(), more: false }
    }
}

impl AsyncRead for Buffered {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.kept.is_empty() {
            if !this.more || buffer.remaining() >= LARGE {
                let before = buffer.filled().len();
                ready!(Pin::new(&mut this.socket).poll_read(cx, buffer))?;
                this.more = buffer.filled().len() > before && buffer.remaining() == 0;
                return Poll::Ready(Ok(()));
            }
            let asked = buffer.remaining();
            this.kept.reserve(LARGE);
            let read = poll_read_buf(Pin::new(&mut this.socket), cx, &mut this.kept);
            match &read {
                Poll::Ready(Ok(count)) => this.more = *count >= asked,
                Poll::Ready(Err(_)) | Poll::Pending => this.kept = BytesMut::new(),
            }
            ready!(read)?;
        }
        let count = this.kept.len().min(buffer.remaining());
        buffer.put_slice(this.kept.get(..count).unwrap_or_default());
        this.kept.advance(count);
        if this.kept.is_empty() {
            this.kept = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Buffered {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Reads to the end, in pieces of one size.
    async fn read(size: usize, sent: &'static [u8]) -> (Vec<u8>, bool) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (mut client, mut server) = (client.unwrap(), Buffered::new(server.unwrap().0));
        let write = async move { client.write_all(sent).await.unwrap() };
        let read = async {
            let (mut all, mut piece) = (Vec::new(), vec![0; size]);
            loop {
                match server.read(&mut piece).await.unwrap() {
                    0 => break all,
                    count => all.extend_from_slice(&piece[..count]),
                }
            }
        };
        let ((), all) = tokio::join!(write, read);
        (all, server.kept.capacity() == 0)
    }

    #[tokio::test]
    async fn every_byte_comes_once_and_nothing_is_kept() {
        static SENT: [u8; 100_003] = {
            let mut sent = [0; 100_003];
            let mut at = 0;
            while at < sent.len() {
                sent[at] = (at % 251) as u8;
                at += 1;
            }
            sent
        };
        for size in [1, 7, 4096, LARGE, 3 * LARGE] {
            for length in [0, 1, 4096, 4097, LARGE, SENT.len()] {
                let (all, empty) = read(size, &SENT[..length]).await;
                assert!(all == SENT[..length], "{length} bytes by {size}");
                assert!(empty, "{length} bytes by {size}");
            }
        }
    }
}

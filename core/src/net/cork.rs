//! Fewer packets where nothing much is said: heartbeats, the pings of Yamux, and their answers leave together.
//!
//! Yamux flushes after each frame, which would make each a message of Noise, a system call and a packet of its own. Here a
//! flush of little is put off until the connection's task has had another turn or two: one to answer what it has just read. Those
//! turns cost time; what is larger leaves at once.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::{AsyncRead, AsyncWrite};
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo};
use libp2p::yamux;

/// Little is less than this.
const LITTLE_BYTES: usize = 64;
/// A flush is put off so many times in a row when nothing was written in between.
const TIMES: u8 = 2;

/// Bytes on their way to the network. A flush soon after a write answers `Pending`, and has its task polled again at once.
#[derive(Debug)]
pub(super) struct Cork<C> {
    io: C,
    /// Written since the last flush.
    waiting: usize,
    /// So many times more.
    put_off: u8,
}

impl<C> Cork<C> {
    fn new(io: C) -> Self {
        Self { io, waiting: 0, put_off: 0 }
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Cork<C> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_read(cx, bytes)
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Cork<C> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, bytes))?;
        self.waiting = self.waiting.saturating_add(written);
        self.put_off = TIMES;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.put_off > 0 && self.waiting < LITTLE_BYTES {
            self.put_off -= 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        ready!(Pin::new(&mut self.io).poll_flush(cx))?;
        self.waiting = 0;
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_close(cx)
    }
}

/// Yamux over a [`Cork`].
#[derive(Clone, Default)]
pub(super) struct Corked(yamux::Config);

impl UpgradeInfo for Corked {
    type Info = <yamux::Config as UpgradeInfo>::Info;
    type InfoIter = <yamux::Config as UpgradeInfo>::InfoIter;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.protocol_info()
    }
}

impl<C> InboundConnectionUpgrade<C> for Corked
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Output = yamux::Muxer<Cork<C>>;
    type Error = io::Error;
    type Future = <yamux::Config as InboundConnectionUpgrade<Cork<C>>>::Future;

    fn upgrade_inbound(self, io: C, info: Self::Info) -> Self::Future {
        self.0.upgrade_inbound(Cork::new(io), info)
    }
}

impl<C> OutboundConnectionUpgrade<C> for Corked
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Output = yamux::Muxer<Cork<C>>;
    type Error = io::Error;
    type Future = <yamux::Config as OutboundConnectionUpgrade<Cork<C>>>::Future;

    fn upgrade_outbound(self, io: C, info: Self::Info) -> Self::Future {
        self.0.upgrade_outbound(Cork::new(io), info)
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use futures::io::Cursor;
    use futures::task::noop_waker;
    use futures::{AsyncWriteExt, future};

    use super::*;

    /// Counts flushes.
    #[derive(Default)]
    struct Sink {
        bytes: Cursor<Vec<u8>>,
        flushes: Vec<usize>,
    }

    impl AsyncWrite for Sink {
        fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.bytes).poll_write(cx, bytes)
        }

        fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            let written = self.bytes.get_ref().len();
            self.flushes.push(written);
            Poll::Ready(Ok(()))
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn small_frames_that_are_each_flushed_leave_together() {
        let waker = noop_waker();
        let mut cork = Cork::new(Sink::default());
        let flush = |cork: &mut Cork<Sink>| Pin::new(cork).poll_flush(&mut Context::from_waker(&waker)).is_ready();
        for frame in [&b"one"[..], b"two", b"three"] {
            block_on(cork.write_all(frame)).unwrap();
            assert!(!flush(&mut cork));
        }
        assert!(!flush(&mut cork));
        assert!(cork.io.flushes.is_empty());
        assert!(flush(&mut cork));
        assert_eq!(cork.io.flushes, [11]);
    }

    #[test]
    fn what_is_large_leaves_at_once() {
        let waker = noop_waker();
        let mut cork = Cork::new(Sink::default());
        block_on(cork.write_all(&[0; LITTLE_BYTES])).unwrap();
        assert!(Pin::new(&mut cork).poll_flush(&mut Context::from_waker(&waker)).is_ready());
        assert_eq!(cork.io.flushes, [LITTLE_BYTES]);
    }

    #[test]
    fn who_waits_for_a_flush_gets_it() {
        let mut cork = Cork::new(Sink::default());
        block_on(async {
            cork.write_all(b"all").await.unwrap();
            cork.flush().await.unwrap();
            future::ready(()).await;
        });
        assert_eq!(cork.io.flushes, [3]);
    }
}

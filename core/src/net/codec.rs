//! Requests and responses as length-prefixed frames.
//!
//! Shape: 4 bytes big-endian length, then that many bytes, sealed where the cluster has a secret. A length over the cap ends the
//! stream before anything is allocated for it, and is counted.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::{StreamProtocol, request_response};

use super::sealed::Sealed;

/// The codec of one protocol: byte strings of up to `cap` bytes both ways.
#[derive(Clone)]
pub(super) struct Frames {
    cap: usize,
    rejected: Arc<AtomicU64>,
    sealed: Sealed,
}

/// Which half of an exchange: one is never taken for the other.
#[derive(Clone, Copy)]
enum Half {
    Request,
    Response,
}

impl Half {
    /// What it is sealed in.
    fn context(self, protocol: &StreamProtocol) -> Vec<u8> {
        let half = match self {
            Self::Request => "request",
            Self::Response => "response",
        };
        [protocol.as_ref(), half].join(" ").into_bytes()
    }
}

impl Frames {
    pub fn new(cap: usize, rejected: Arc<AtomicU64>, sealed: Sealed) -> Self {
        Self { cap: cap + sealed.overhead(), rejected, sealed }
    }

    async fn read(&self, io: &mut (impl AsyncRead + Unpin + Send)) -> io::Result<Vec<u8>> {
        let mut prefix = [0; 4];
        io.read_exact(&mut prefix).await?;
        let len = u32::from_be_bytes(prefix) as usize;
        if len > self.cap {
            self.rejected.fetch_add(1, Ordering::Relaxed);
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{len} bytes, at most {}", self.cap)));
        }
        // Not `read_to_end`: it zeroes its spare capacity anew on every poll.
        let mut bytes = vec![0; len];
        io.read_exact(&mut bytes).await?;
        Ok(bytes)
    }

    async fn write(&self, io: &mut (impl AsyncWrite + Unpin + Send), bytes: Vec<u8>) -> io::Result<()> {
        if bytes.len() > self.cap {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{} bytes, at most {}", bytes.len(), self.cap)));
        }
        io.write_all(&(bytes.len() as u32).to_be_bytes()).await?;
        io.write_all(&bytes).await
    }
}

impl request_response::Codec for Frames {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, protocol: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        self.sealed.open(&Half::Request.context(protocol), self.read(io).await?)
    }

    async fn read_response<T>(&mut self, protocol: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        self.sealed.open(&Half::Response.context(protocol), self.read(io).await?)
    }

    async fn write_request<T>(&mut self, protocol: &StreamProtocol, io: &mut T, bytes: Vec<u8>) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        self.write(io, self.sealed.seal(&Half::Request.context(protocol), bytes)).await
    }

    async fn write_response<T>(&mut self, protocol: &StreamProtocol, io: &mut T, bytes: Vec<u8>) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        self.write(io, self.sealed.seal(&Half::Response.context(protocol), bytes)).await
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use futures::io::Cursor;

    use super::*;

    fn frames() -> (Frames, Arc<AtomicU64>) {
        let rejected = Arc::new(AtomicU64::new(0));
        (Frames::new(16, rejected.clone(), Sealed::new(None, rejected.clone())), rejected)
    }

    #[test]
    fn what_is_written_is_read() {
        let (frames, rejected) = frames();
        let mut wire = Cursor::new(Vec::new());
        block_on(frames.write(&mut wire, b"sixteen bytes ok".to_vec())).unwrap();
        wire.set_position(0);
        assert_eq!(block_on(frames.read(&mut wire)).unwrap(), b"sixteen bytes ok");
        assert_eq!(rejected.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_length_over_the_cap_is_refused_and_counted() {
        let (frames, rejected) = frames();
        let error = block_on(frames.read(&mut Cursor::new(u32::MAX.to_be_bytes().to_vec()))).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(rejected.load(Ordering::Relaxed), 1);
        assert!(block_on(frames.write(&mut Cursor::new(Vec::new()), vec![0; 17])).is_err());
    }

    #[test]
    fn a_frame_cut_short_is_an_error() {
        let (frames, _) = frames();
        let wire = [&8u32.to_be_bytes()[..], b"seven b"].concat();
        assert!(block_on(frames.read(&mut Cursor::new(wire))).is_err());
    }
}

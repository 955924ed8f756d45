//! MySQL's packets: a length of three bytes, a number, and what is said. What a stranger may say is bounded.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::Failure;

/// What a server says before and after a sign-in is short; more of it is not read.
const MOST: usize = 1 << 20;

/// Both ways of a connection.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Wire for T {}

/// A connection, packet by packet.
pub(super) struct Packets<S> {
    stream: S,
    /// The number that the next packet must have, whoever sends it.
    next: u8,
}

impl<S: Wire> Packets<S> {
    pub(super) fn of(stream: S) -> Self {
        Self { stream, next: 0 }
    }

    /// The bare stream, and the number that is due on it.
    pub(super) fn parts(self) -> (S, u8) {
        (self.stream, self.next)
    }

    /// The conversation goes on over another stream.
    pub(super) fn at(stream: S, next: u8) -> Self {
        Self { stream, next }
    }

    /// The next question begins a conversation of its own.
    pub(super) fn restart(&mut self) {
        self.next = 0;
    }

    /// What the server says.
    pub(super) async fn read(&mut self) -> Result<Vec<u8>, Failure> {
        let mut head = [0; 4];
        self.stream.read_exact(&mut head).await?;
        let [low, middle, high, number] = head;
        let length = usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16;
        if number != self.next || length == 0 || length > MOST {
            return Err(Failure::Stranger);
        }
        self.next = number.wrapping_add(1);
        let mut said = vec![0; length];
        self.stream.read_exact(&mut said).await?;
        Ok(said)
    }

    /// Says something short.
    pub(super) async fn write(&mut self, words: &[u8]) -> Result<(), Failure> {
        let length = u32::try_from(words.len())
            .ok()
            .filter(|length| *length < 0x00ff_ffff)
            .ok_or(Failure::Stranger)?;
        let [low, middle, high, _] = length.to_le_bytes();
        let mut packet = vec![low, middle, high, self.next];
        packet.extend_from_slice(words);
        self.next = self.next.wrapping_add(1);
        self.stream.write_all(&packet).await?;
        self.stream.flush().await?;
        Ok(())
    }
}

/// What is left of a packet to be read.
pub(super) struct Words<'a>(pub(super) &'a [u8]);

impl<'a> Words<'a> {
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Failure> {
        let (head, rest) = self.0.split_at_checked(length).ok_or(Failure::Stranger)?;
        self.0 = rest;
        Ok(head)
    }

    pub(super) fn number<const N: usize>(&mut self) -> Result<u64, Failure> {
        let bytes = self.take(N)?;
        Ok(bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// Up to a zero, or to the end.
    pub(super) fn text(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|byte| *byte == 0);
        let (text, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest.get(1..).unwrap_or_default();
        text
    }

    /// A number of one to nine bytes; nothing where there is none.
    pub(super) fn length(&mut self) -> Result<Option<u64>, Failure> {
        Ok(match self.number::<1>()? {
            0xfb => None,
            0xfc => Some(self.number::<2>()?),
            0xfd => Some(self.number::<3>()?),
            0xfe => Some(self.number::<8>()?),
            0xff => return Err(Failure::Stranger),
            small => Some(small),
        })
    }

    /// A value of a row.
    pub(super) fn value(&mut self) -> Result<Option<&'a [u8]>, Failure> {
        let Some(length) = self.length()? else { return Ok(None) };
        let length = usize::try_from(length).map_err(|_| Failure::Stranger)?;
        self.take(length).map(Some)
    }
}

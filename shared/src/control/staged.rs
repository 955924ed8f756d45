//! Signs in step by step, for who wants to know how far it went and what was met: each step is a call of its own. What is
//! dialled, trusted and sent is the same as in [`super::dial`].

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::{Client, Connection, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::certificate;
use super::dial::{DialError, Trust, settings};
use super::trust::Met;
use crate::config::{Address, Tls};
use crate::error::Result;

/// The request that asks a server for encryption (`SSLRequest`).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
/// A server's messages before it is ready are short; what is longer is not looked at.
const MOST: usize = 1 << 16;
/// After this time the next address of a host is tried.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a server answers to the request for encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// It encrypts.
    Encrypts,
    /// It does not.
    Plain,
    /// It is no server of this kind.
    Stranger,
}

/// What was met on the way, as far as it went.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The version that was agreed on.
    pub tls_version: Option<&'static str>,
    /// When the server's certificate ends.
    pub certificate_ends: Option<Timestamp>,
    /// When the handshake was over.
    pub encrypted: Option<Instant>,
    /// When the server took the password.
    pub authenticated: Option<Instant>,
    /// The process that the server says serves this connection; a pooler makes one up.
    pub process: Option<i32>,
}

/// [`Seen`], filled in by a connection's parts.
#[derive(Debug, Clone, Default)]
pub struct Watch(Arc<Mutex<Seen>>);

impl Watch {
    /// What was met so far.
    pub fn seen(&self) -> Seen {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        // Every change is one assignment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that is signed in.
#[derive(Debug)]
pub struct Session {
    /// To ask with.
    pub client: Client,
    driver: Driver,
}

/// The task that drives a connection; it ends with this value, whatever the server does.
#[derive(Debug)]
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Session {
    /// Says goodbye to the server.
    pub async fn close(self) {
        let Self { client, mut driver } = self;
        drop(client);
        // That it went is all that matters.
        let _ended = (&mut driver.0).await;
    }
}

/// Connects to the first of the checked addresses that takes it.
///
/// # Errors
/// That of the last one.
pub async fn reach(addresses: &[IpAddr], port: u16) -> io::Result<TcpStream> {
    let Some((last, others)) = addresses.split_last() else {
        return Err(io::ErrorKind::AddrNotAvailable.into());
    };
    for address in others {
        let tried = tokio::time::timeout(PATIENCE, TcpStream::connect((*address, port))).await;
        if let Ok(Ok(stream)) = tried {
            stream.set_nodelay(true)?;
            return Ok(stream);
        }
    }
    let stream = TcpStream::connect((*last, port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Asks for encryption; to be followed by [`sign_in`].
///
/// # Errors
/// When the connection breaks.
pub async fn ask_for_tls(stream: &mut TcpStream) -> io::Result<Offer> {
    stream.write_all(&SSL_REQUEST).await?;
    Ok(match stream.read_u8().await? {
        b'S' => Offer::Encrypts,
        b'N' => Offer::Plain,
        _ => Offer::Stranger,
    })
}

/// Encrypts, where the address says so and the server offered it, and signs in.
///
/// # Errors
/// As [`super::dial::dial`].
pub async fn sign_in(stream: TcpStream, address: &Address, trust: &Trust, watch: &Watch) -> Result<Session, DialError> {
    let mut config = settings(address).await?;
    match address.tls {
        Tls::Disable => {
            config.ssl_mode(SslMode::Disable);
            let connected = config.connect_raw(Watched::of(stream, watch), NoTls).await;
            connected.map(drive).map_err(DialError::Postgres)
        }
        Tls::Verify => {
            // It was asked for already: the handshake comes next.
            config
                .ssl_mode(SslMode::Require)
                .ssl_negotiation(SslNegotiation::Direct);
            config.host(&address.host);
            let shown = watch.clone();
            let trusted = trust
                .watched(move |met| note(&shown, &met))
                .map_err(DialError::Settings)?;
            let mut maker = MakeRustlsConnect::new(trusted);
            let tls = MakeTlsConnect::<TcpStream>::make_tls_connect(&mut maker, &address.host);
            let tls = tls.map_err(|error| DialError::Settings(crate::error::Error::internal(error)))?;
            let tls = Handshake {
                tls,
                watch: watch.clone(),
            };
            let connected = config.connect_raw(stream, tls).await;
            connected.map(drive).map_err(DialError::Postgres)
        }
    }
}

/// Encrypts a stream, and lets it go: who it belongs to, and how it would be spoken with.
///
/// # Errors
/// As the stream's; a [`rustls::Error`] is in it where the handshake is what failed.
pub async fn shake_hands(stream: TcpStream, host: &str, trust: &Trust, watch: &Watch) -> io::Result<()> {
    let shown = watch.clone();
    let trusted = trust.watched(move |met| note(&shown, &met)).map_err(io::Error::other)?;
    let mut maker = MakeRustlsConnect::new(trusted);
    let tls = MakeTlsConnect::<TcpStream>::make_tls_connect(&mut maker, host).map_err(io::Error::other)?;
    tls.connect(stream).await.map(drop)
}

/// Keeps what a handshake meets.
pub(super) fn note(watch: &Watch, met: &Met<'_>) {
    match met {
        Met::Certificate(der) => watch.lock().certificate_ends = certificate::not_after(der),
        Met::Version(version) => watch.lock().tls_version = Some(version),
    }
}

fn drive<S, T>((client, connection): (Client, Connection<S, T>)) -> Session
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let task = tokio::spawn(async move {
        // A broken connection is told by the question that it breaks.
        let _ended = connection.await;
    });
    Session {
        client,
        driver: Driver(task),
    }
}

/// A handshake whose end is noted, and whose stream is watched.
struct Handshake<T> {
    tls: T,
    watch: Watch,
}

impl<S, T> TlsConnect<S> for Handshake<T>
where
    T: TlsConnect<S>,
    T::Future: Send + 'static,
{
    type Stream = Watched<T::Stream>;
    type Error = T::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, Self::Error>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let (handshake, watch) = (self.tls.connect(stream), self.watch);
        Box::pin(async move {
            let stream = handshake.await?;
            watch.lock().encrypted = Some(Instant::now());
            Ok(Watched::of(stream, &watch))
        })
    }
}

/// A stream whose first messages are looked at, until the server is ready for questions.
struct Watched<S> {
    stream: S,
    watch: Watch,
    /// What has come and is not looked at yet; none when all is seen.
    head: Option<Vec<u8>>,
}

impl<S> Watched<S> {
    fn of(stream: S, watch: &Watch) -> Self {
        Self {
            stream,
            watch: watch.clone(),
            head: Some(Vec::new()),
        }
    }

    /// Looks at what has come.
    fn look(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(head) = &mut self.head else { return Ok(()) };
        head.extend_from_slice(bytes);
        loop {
            let Some(&kind) = head.first() else { return Ok(()) };
            if !b"RESNKZv".contains(&kind) {
                let why = "this is not PostgreSQL's protocol";
                return Err(io::Error::new(io::ErrorKind::InvalidData, why));
            }
            let Some(length) = head.get(1..5).and_then(|length| length.try_into().ok()) else {
                return Ok(());
            };
            let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(MOST);
            if kind == b'Z' || length >= MOST {
                self.head = None;
                return Ok(());
            }
            let Some(message) = head.get(5..=length) else {
                return Ok(());
            };
            let number = message
                .get(..4)
                .and_then(|number| number.try_into().ok())
                .map(i32::from_be_bytes);
            match (kind, number) {
                (b'R', Some(0)) => self.watch.lock().authenticated = Some(Instant::now()),
                (b'K', Some(process)) => self.watch.lock().process = Some(process),
                _ => {}
            }
            head.drain(..=length);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if let Poll::Ready(Ok(())) = read
            && let Some(new) = buf.filled().get(before..)
        {
            self.look(new)?;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Watched<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.stream.channel_binding()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_is_watched_however_its_bytes_come() {
        let mut said = Vec::new();
        for (kind, body) in [
            (b'R', &[0, 0, 0, 10, b'S', 0, 0][..]),
            (b'R', &[0, 0, 0, 0]),
            (b'S', b"a\0b\0"),
            (b'K', &[0, 0, 4, 1, 9, 9, 9, 9]),
            (b'Z', b"I"),
        ] {
            said.push(kind);
            said.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
            said.extend(body);
        }
        for step in 1..said.len() {
            let watch = Watch::default();
            let mut stream = Watched::of((), &watch);
            for bytes in said.chunks(step) {
                stream.look(bytes).unwrap();
            }
            let seen = watch.seen();
            assert!(seen.authenticated.is_some(), "{step}");
            assert_eq!((seen.process, stream.head), (Some(1025), None), "{step}");
        }
    }

    #[test]
    fn another_protocol_is_noticed_at_its_first_byte() {
        for said in ["HTTP/1.1 400 Bad Request", "J\0\0\0\n8.4.0", "\u{16}\u{3}\u{1}"] {
            let mut stream = Watched::of((), &Watch::default());
            let refused = stream.look(said.as_bytes()).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidData, "{said}");
        }
    }
}

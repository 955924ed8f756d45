//! Ways to a server that go wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What happens to who connects.
#[derive(Debug, Clone)]
pub enum Way {
    /// Taken, and never answered.
    Silence,
    /// The server's answers, up to so many bytes; then the end.
    Cut(usize),
    /// The server's answers, up to so many bytes; then silence.
    Stall(usize),
    /// The server's answers, one byte in so much time.
    Drip(Duration),
    /// Reset at the first word.
    Reset,
    /// These words, whatever is asked.
    Says(Vec<u8>),
    /// These words at once.
    Greets(Vec<u8>),
    /// Words at once, and others after each that is heard.
    Talks(Vec<Vec<u8>>),
}

/// A port behind which that happens on the way to the server at `server`.
pub async fn way(way: Way, server: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            tokio::spawn(go(way.clone(), client, server));
        }
    });
    port
}

/// A port where nothing listens.
pub async fn nothing() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

/// Waits until something is said, or the end.
async fn hear(client: &mut TcpStream) -> bool {
    let mut heard = [0; 4096];
    client.read(&mut heard).await.is_ok_and(|length| length > 0)
}

/// Treats one connection so.
pub async fn go(way: Way, mut client: TcpStream, server: u16) {
    match way {
        Way::Silence => while hear(&mut client).await {},
        Way::Reset => {
            hear(&mut client).await;
            client.set_zero_linger().unwrap();
        }
        Way::Says(words) => {
            hear(&mut client).await;
            client.write_all(&words).await.ok();
            hear(&mut client).await;
        }
        Way::Greets(words) => {
            client.write_all(&words).await.ok();
            while hear(&mut client).await {}
        }
        Way::Talks(words) => {
            for words in words {
                client.write_all(&words).await.ok();
                hear(&mut client).await;
            }
            while hear(&mut client).await {}
        }
        Way::Cut(most) => drop(relay(client, server, most, None).await),
        Way::Stall(most) => {
            let kept = relay(client, server, most, None).await;
            // Held open, as what has lost its network is.
            std::future::pending::<()>().await;
            drop(kept);
        }
        Way::Drip(pause) => drop(relay(client, server, usize::MAX, Some(pause)).await),
    }
}

async fn relay(mut client: TcpStream, server: u16, mut most: usize, pause: Option<Duration>) -> TcpStream {
    let mut server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
    let (mut up, mut down) = ([0; 4096], [0; 4096]);
    while most > 0 {
        tokio::select! {
            read = client.read(&mut up) => match read {
                Ok(length @ 1..) if server.write_all(&up[..length]).await.is_ok() => {}
                _ => return client,
            },
            read = server.read(&mut down) => {
                let length = read.unwrap_or(0).min(most);
                if length == 0 {
                    return client;
                }
                for byte in &down[..length] {
                    if let Some(pause) = pause {
                        tokio::time::sleep(pause).await;
                    }
                    if client.write_all(&[*byte]).await.is_err() {
                        return client;
                    }
                }
                most -= length;
            }
        }
    }
    client
}

/// A server's refusal, as it comes on the wire.
pub fn refusal(state: &str, text: &str) -> Vec<u8> {
    let mut fields = Vec::new();
    for (kind, value) in [(b'S', "FATAL"), (b'V', "FATAL"), (b'C', state), (b'M', text)] {
        fields.push(kind);
        fields.extend(value.as_bytes());
        fields.push(0);
    }
    fields.push(0);
    let mut message = vec![b'E'];
    message.extend(u32::try_from(fields.len() + 4).unwrap().to_be_bytes());
    message.extend(fields);
    message
}

/// A long way to a server: its answers take a while, and the times that somebody waited for one after the sign-in are
/// counted.
pub struct LongWay {
    pub port: u16,
    trips: Arc<AtomicUsize>,
}

/// How one tells what is said on the way.
#[derive(Clone, Copy)]
pub struct Ear {
    /// Whether these are a server's last words of a sign-in.
    pub signed_in: fn(&[u8]) -> bool,
    /// Whether these are a client's goodbye.
    pub goodbye: fn(&[u8]) -> bool,
}

const POSTGRES: Ear = Ear {
    signed_in: |came| came.windows(6).any(|part| part == b"Z\0\0\0\x05I"),
    goodbye: |went| went.first() == Some(&b'X'),
};

impl LongWay {
    pub async fn to(server: u16, delay: Duration) -> Self {
        Self::heard(server, delay, POSTGRES).await
    }

    pub async fn heard(server: u16, delay: Duration, ear: Ear) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let trips = Arc::<AtomicUsize>::default();
        let counted = trips.clone();
        tokio::spawn(async move {
            let (client, _) = listener.accept().await.unwrap();
            walk(client, server, delay, &counted, ear).await;
        });
        Self { port, trips }
    }

    /// Round trips after the sign-in.
    pub fn trips(&self) -> usize {
        self.trips.load(Ordering::SeqCst)
    }
}

async fn walk(client: TcpStream, server: u16, delay: Duration, trips: &AtomicUsize, ear: Ear) {
    let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
    client.set_nodelay(true).unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let (ready, answered) = (AtomicBool::new(false), AtomicBool::new(false));
    let up = async {
        let mut bytes = [0; 1 << 16];
        while let Ok(length @ 1..) = from_client.read(&mut bytes).await {
            // A goodbye waits for nothing.
            let asks = !(ear.goodbye)(&bytes[..length]);
            if asks && ready.load(Ordering::SeqCst) && answered.swap(false, Ordering::SeqCst) {
                trips.fetch_add(1, Ordering::SeqCst);
            }
            if to_server.write_all(&bytes[..length]).await.is_err() {
                return;
            }
        }
        to_server.shutdown().await.ok();
    };
    let down = async {
        let mut bytes = [0; 1 << 16];
        while let Ok(length @ 1..) = from_server.read(&mut bytes).await {
            tokio::time::sleep(delay).await;
            let came = &bytes[..length];
            if (ear.signed_in)(came) {
                ready.store(true, Ordering::SeqCst);
            }
            answered.store(true, Ordering::SeqCst);
            if to_client.write_all(came).await.is_err() {
                return;
            }
        }
        to_client.shutdown().await.ok();
    };
    tokio::join!(up, down);
}

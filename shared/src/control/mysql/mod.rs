//! Signs in to a MySQL or MariaDB server step by step, for who wants to know how far it went and what was met. The driver
//! dials by itself and takes no stream that is there already; what is trusted and sent is the same.

mod packet;
mod proof;

use std::io;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use self::packet::{Packets, Wire, Words};
use super::dial::Trust;
use super::staged::{Watch, note};
use crate::config::{Address, Login};
use crate::error::Error;

const CLIENT_LONG_PASSWORD: u32 = 1;
const CLIENT_CONNECT_WITH_DB: u32 = 1 << 3;
const CLIENT_PROTOCOL_41: u32 = 1 << 9;
const CLIENT_SSL: u32 = 1 << 11;
const CLIENT_TRANSACTIONS: u32 = 1 << 13;
const CLIENT_SECURE_CONNECTION: u32 = 1 << 15;
const CLIENT_MULTI_STATEMENTS: u32 = 1 << 16;
const CLIENT_MULTI_RESULTS: u32 = 1 << 17;
const CLIENT_PLUGIN_AUTH: u32 = 1 << 19;
/// What we speak. No compression, no local files.
const SPOKEN: u32 = CLIENT_LONG_PASSWORD
    | CLIENT_CONNECT_WITH_DB
    | CLIENT_PROTOCOL_41
    | CLIENT_TRANSACTIONS
    | CLIENT_SECURE_CONNECTION
    | CLIENT_MULTI_STATEMENTS
    | CLIENT_MULTI_RESULTS
    | CLIENT_PLUGIN_AUTH;
/// The largest packet that we would take.
const LARGEST: u32 = 1 << 20;
/// `utf8mb4_general_ci`, which every version knows.
const UTF8: u8 = 45;
const COM_QUIT: u8 = 1;
const COM_QUERY: u8 = 3;
/// In the status of a result: there is another one.
const MORE: u64 = 8;

/// Why it went no further.
#[derive(Debug)]
pub enum Failure {
    /// The way to the server, TLS included.
    Io(io::Error),
    /// The server's own refusal.
    Said {
        /// Its number.
        code: u16,
        /// Its text: for a log of nobody's, never for a reply.
        text: String,
    },
    /// It is no server of this kind.
    Stranger,
    /// The account proves itself in a way that is not spoken here.
    Method(String),
    /// Its password is not sent over a connection that anybody can read.
    NeedsTls,
    /// No IAM token could be signed.
    Token(Error),
    /// No settings could be made.
    Settings(Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A server that has said hello.
pub struct Greeted {
    packets: Packets<TcpStream>,
    hello: Hello,
}

/// What a server says first.
#[derive(Debug, PartialEq, Eq)]
struct Hello {
    connection: u32,
    capabilities: u32,
    nonce: Vec<u8>,
    method: String,
}

/// Hears what a server says first.
///
/// # Errors
/// When it does not say it, or says that it has no room or does not talk to us.
pub async fn greet(stream: TcpStream) -> Result<Greeted, Failure> {
    let mut packets = Packets::of(stream);
    let said = packets.read().await?;
    if said.first() == Some(&0xff) {
        return Err(refusal(&said));
    }
    let hello = Hello::read(&said)?;
    Ok(Greeted { packets, hello })
}

impl Hello {
    fn read(said: &[u8]) -> Result<Self, Failure> {
        let mut words = Words(said);
        if words.number::<1>()? != 10 {
            return Err(Failure::Stranger);
        }
        words.text();
        let connection = narrow(words.number::<4>()?);
        let mut nonce = words.take(8)?.to_vec();
        words.take(1)?;
        let low = words.number::<2>()?;
        words.take(3)?;
        let capabilities = narrow(low | words.number::<2>()? << 16);
        let length = words.number::<1>()?;
        words.take(10)?;
        if capabilities & (CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION)
            != CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION
        {
            return Err(Failure::Stranger);
        }
        let more = usize::try_from(length.saturating_sub(8)).unwrap_or_default().max(13);
        nonce.extend_from_slice(words.take(more.min(words.0.len()))?);
        // Twenty bytes, and a zero.
        nonce.resize(20, 0);
        Ok(Self {
            connection,
            capabilities,
            nonce,
            method: name(words.text()),
        })
    }

    /// What both sides speak.
    fn common(&self) -> u32 {
        SPOKEN & (self.capabilities | CLIENT_LONG_PASSWORD)
    }
}

impl Greeted {
    /// Whether the server encrypts.
    pub fn encrypts(&self) -> bool {
        self.hello.capabilities & CLIENT_SSL != 0
    }

    /// Encrypts, and verifies whose certificate it is.
    ///
    /// # Errors
    /// [`Failure::Io`] with TLS's own error in it.
    pub async fn encrypt(self, address: &Address, trust: &Trust, watch: &Watch) -> Result<Ready, Failure> {
        let Self { mut packets, hello } = self;
        let mut request = opening(hello.common() | CLIENT_SSL);
        request.resize(32, 0);
        packets.write(&request).await?;
        let shown = watch.clone();
        let config = trust
            .watched(move |met| note(&shown, &met))
            .map_err(Failure::Settings)?;
        let name = ServerName::try_from(address.host.clone());
        let name = name.map_err(|error| Failure::Settings(Error::internal(error)))?;
        let (stream, next) = packets.parts();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        Ok(Ready {
            packets: Packets::at(Box::new(stream), next),
            hello,
            encrypted: true,
        })
    }

    /// Stays as it is.
    pub fn plain(self) -> Ready {
        let (stream, next) = self.packets.parts();
        Ready {
            packets: Packets::at(Box::new(stream), next),
            hello: self.hello,
            encrypted: false,
        }
    }
}

/// A connection that the password can go over.
pub struct Ready {
    packets: Packets<Box<dyn Wire>>,
    hello: Hello,
    encrypted: bool,
}

impl Ready {
    /// Signs in, and chooses the address's database.
    ///
    /// # Errors
    /// The server's refusal, or that of the way to it.
    pub async fn sign_in(self, address: &Address) -> Result<Session, Failure> {
        let Self {
            mut packets,
            hello,
            encrypted,
        } = self;
        let (password, is_token) = match &address.auth {
            Login::Password(password) => (password.clone(), false),
            Login::Iam(iam) => (super::iam::token(address, iam).await.map_err(Failure::Token)?, true),
        };
        let password = password.expose();
        // The only one that a server may ask for at once beside its predecessor.
        let mut method = if hello.method == proof::SHA2 {
            proof::SHA2
        } else {
            proof::NATIVE
        }
        .to_owned();
        let mut nonce = hello.nonce.clone();
        let ssl = if encrypted { CLIENT_SSL } else { 0 };
        let mut answer = opening(hello.common() | ssl);
        answer.resize(32, 0);
        answer.extend_from_slice(address.login.as_bytes());
        answer.push(0);
        let proof = proof::of(&method, password, &nonce)?;
        answer.push(u8::try_from(proof.len()).unwrap_or_default());
        answer.extend_from_slice(&proof);
        answer.extend_from_slice(address.database.as_bytes());
        answer.push(0);
        answer.extend_from_slice(method.as_bytes());
        answer.push(0);
        packets.write(&answer).await?;

        let mut switched = false;
        loop {
            let said = packets.read().await?;
            let mut words = Words(&said);
            match words.number::<1>()? {
                0x00 => {
                    return Ok(Session {
                        packets,
                        connection: hello.connection,
                        takes_several: hello.common() & CLIENT_MULTI_STATEMENTS != 0,
                    });
                }
                0xff => return Err(refusal(&said)),
                0xfe if !switched => {
                    switched = true;
                    method = name(words.text());
                    nonce = words.0.strip_suffix(&[0]).unwrap_or(words.0).to_vec();
                    if method == proof::CLEAR && is_token && encrypted {
                        packets.write(&[password.as_bytes(), &[0]].concat()).await?;
                        continue;
                    }
                    let proof = proof::of(&method, password, &nonce)?;
                    packets.write(&proof).await?;
                }
                0x01 if method == proof::SHA2 => match words.number::<1>()? {
                    // It was known; the last word comes by itself.
                    0x03 => {}
                    0x04 if encrypted => packets.write(&[password.as_bytes(), &[0]].concat()).await?,
                    0x04 => {
                        packets.write(&[0x02]).await?;
                        let key = packets.read().await?;
                        let key = key.get(1..).ok_or(Failure::Stranger)?;
                        packets.write(&proof::sealed(password, &nonce, key)?).await?;
                    }
                    _ => return Err(Failure::Stranger),
                },
                _ => return Err(Failure::Stranger),
            }
        }
    }
}

/// Capabilities, the largest packet, how text is written.
fn opening(capabilities: u32) -> Vec<u8> {
    let mut words = capabilities.to_le_bytes().to_vec();
    words.extend_from_slice(&LARGEST.to_le_bytes());
    words.push(UTF8);
    words
}

/// A connection that is signed in.
pub struct Session {
    packets: Packets<Box<dyn Wire>>,
    /// The number that the server says this connection has; a proxy makes one up.
    pub connection: u32,
    /// Whether several questions may go out together.
    pub takes_several: bool,
}

/// The rows of one answer, each value as its text.
pub type Rows = Vec<Vec<Option<String>>>;

/// The answers to several questions, up to the one that failed.
#[derive(Debug)]
pub struct Answers {
    /// Of those that went well, in order.
    pub rows: Vec<Rows>,
    /// Why there are no more.
    pub failure: Option<Failure>,
}

impl Session {
    /// Asks several questions, separated by semicolons, in one round trip. What fails ends the list.
    pub async fn ask(&mut self, sql: &str) -> Answers {
        let mut rows = Vec::new();
        let failure = self.hear(sql, &mut rows).await.err();
        Answers { rows, failure }
    }

    async fn hear(&mut self, sql: &str, all: &mut Vec<Rows>) -> Result<(), Failure> {
        self.packets.restart();
        self.packets.write(&[&[COM_QUERY], sql.as_bytes()].concat()).await?;
        let mut budget = usize::try_from(LARGEST).unwrap_or(usize::MAX);
        loop {
            let said = self.packets.read().await?;
            let mut words = Words(&said);
            let more = match said.first() {
                Some(0xff) => return Err(refusal(&said)),
                // An answer without rows.
                Some(0x00) => {
                    words.take(1)?;
                    words.length()?;
                    words.length()?;
                    all.push(Rows::new());
                    words.number::<2>()? & MORE != 0
                }
                // It asks for one of our files.
                Some(0xfb) => return Err(Failure::Stranger),
                _ => {
                    let columns = words.length()?.ok_or(Failure::Stranger)?;
                    let (rows, more) = self.rows(columns, &mut budget).await?;
                    all.push(rows);
                    more
                }
            };
            if !more {
                return Ok(());
            }
        }
    }

    /// The rows of one answer, and whether there is another answer.
    async fn rows(&mut self, columns: u64, budget: &mut usize) -> Result<(Rows, bool), Failure> {
        for _ in 0..columns {
            self.heard(budget).await?;
        }
        ending(&self.heard(budget).await?).ok_or(Failure::Stranger)?;
        let mut rows = Rows::new();
        loop {
            let said = self.heard(budget).await?;
            if said.first() == Some(&0xff) {
                return Err(refusal(&said));
            }
            if let Some(more) = ending(&said) {
                return Ok((rows, more));
            }
            let mut words = Words(&said);
            let mut row = Vec::new();
            for _ in 0..columns {
                row.push(words.value()?.map(|value| String::from_utf8_lossy(value).into_owned()));
            }
            rows.push(row);
        }
    }

    async fn heard(&mut self, budget: &mut usize) -> Result<Vec<u8>, Failure> {
        let said = self.packets.read().await?;
        *budget = budget.checked_sub(said.len()).ok_or(Failure::Stranger)?;
        Ok(said)
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        self.packets.restart();
        // That it went is all that matters.
        let _gone = self.packets.write(&[COM_QUIT]).await;
    }
}

/// Whether a packet ends a list; and whether there is another one.
fn ending(said: &[u8]) -> Option<bool> {
    match said {
        [0xfe, _, _, low, high] => Some(u64::from(u16::from_le_bytes([*low, *high])) & MORE != 0),
        _ => None,
    }
}

/// What a server says when it refuses: `0xff`, a number, and once both know each other a state, and a text.
fn refusal(said: &[u8]) -> Failure {
    let Some(&[low, high]) = said.get(1..3) else {
        return Failure::Stranger;
    };
    let text = said.get(3..).unwrap_or_default();
    let text = match text {
        [b'#', _, _, _, _, _, text @ ..] => text,
        text => text,
    };
    Failure::Said {
        code: u16::from_le_bytes([low, high]),
        text: String::from_utf8_lossy(text).into_owned(),
    }
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

fn name(words: &[u8]) -> String {
    let known = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    words
        .iter()
        .take(64)
        .filter(known)
        .map(|byte| char::from(*byte))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a MariaDB 10.11 says it.
    fn hello() -> Vec<u8> {
        let mut said = b"\x0a5.5.5-10.11.6-MariaDB\0".to_vec();
        said.extend(7_u32.to_le_bytes());
        said.extend(b"abcdefgh\0");
        said.extend([0xfe, 0xff, 45, 2, 0, 0xff, 0x81, 21]);
        said.extend([0; 10]);
        said.extend(b"ijklmnopqrst\0");
        said.extend(b"mysql_native_password\0");
        said
    }

    #[test]
    fn what_a_server_says_first_is_understood() {
        let read = Hello::read(&hello()).unwrap();
        assert_eq!(
            (read.connection, read.nonce.as_slice()),
            (7, &b"abcdefghijklmnopqrst"[..])
        );
        assert_eq!(read.method, proof::NATIVE);
        assert!(read.capabilities & CLIENT_SSL != 0);
    }

    #[test]
    fn what_a_stranger_says_first_is_no_harm() {
        let whole = hello();
        for length in 0..whole.len() {
            let _either = Hello::read(&whole[..length]);
        }
        for at in 0..whole.len() {
            for byte in [0, 1, 0x7f, 0x80, 0xfb, 0xff] {
                let mut said = whole.clone();
                said[at] = byte;
                let _either = Hello::read(&said);
            }
        }
        assert!(matches!(Hello::read(b"\x09old\0"), Err(Failure::Stranger)));
        assert!(matches!(refusal(&[0xff, 0x10]), Failure::Stranger));
        assert!(matches!(refusal(b"\xff\x15\x04#28000no"), Failure::Said { code: 1045, text } if text == "no"));
    }
}

//! The statements that a request sends, as they pass by.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::handmade::{Handmade, superuser};
use crate::routed::Routed;
use crate::shapes::Shape;
use crate::world::platform;

/// One message of a pipeline.
#[derive(Debug, Clone)]
pub enum Step {
    /// Without parameters.
    Simple(String),
    /// With parameters, in text format.
    Query(String, Vec<Option<String>>),
}

/// A way to the platform's server that listens.
pub struct Gate {
    port: u16,
    heard: Arc<Mutex<Vec<Step>>>,
}

impl Gate {
    pub async fn new() -> Self {
        let server = platform().await.master.port;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::<Mutex<Vec<Step>>>::default();
        let shared = heard.clone();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                tokio::spawn(pass(client, server, shared.clone()));
            }
        });
        Self { port, heard }
    }

    /// What a warm request of that shape sends; or why it is refused.
    pub async fn statements(&self, project: &Handmade, shape: &'static Shape) -> Result<Vec<Step>, String> {
        self.stand_between(project, self.port).await;
        // Without names every statement passes with its text.
        let settings = [("PLINTH_POOL_SIZE", "1"), ("PLINTH_POOLER", "true")];
        let request = Routed::with(project, shape, &settings).await;
        let mut steps = Vec::new();
        let mut outcome = Ok(());
        for _ in 0..3 {
            self.heard.lock().unwrap().clear();
            let (status, body) = request.send().await;
            if !status.is_success() {
                outcome = Err(format!("{status} {}", String::from_utf8_lossy(&body)));
                break;
            }
            steps = self.heard.lock().unwrap().clone();
        }
        let direct = platform().await.master.port;
        self.stand_between(project, direct).await;
        outcome.map(|()| steps)
    }

    async fn stand_between(&self, project: &Handmade, port: u16) {
        let control = superuser("plinth").await;
        let sql = format!(
            "insert into plinth.cells (id, name, host, port, database, capacity, backends, open)
               values ({port}, 'bench-{port}', '127.0.0.1', {port}, 'plinth_cell', 1, 1, false) on conflict do nothing;
             update plinth.backends set cell_id = {port} where id = '{}'",
            project.backend
        );
        control.batch_execute(&sql).await.unwrap();
    }
}

async fn pass(mut client: TcpStream, mut server: TcpStream, heard: Arc<Mutex<Vec<Step>>>) {
    let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut asked = Vec::new();
    // The first message has no kind.
    let mut started = false;
    loop {
        tokio::select! {
            read = client.read(&mut up) => match read {
                Ok(length @ 1..) if server.write_all(&up[..length]).await.is_ok() => {
                    asked.extend_from_slice(&up[..length]);
                    while let Some((kind, text)) = message(&mut asked, started) {
                        note(kind, &text, &mut heard.lock().unwrap());
                        started = true;
                    }
                }
                _ => return,
            },
            read = server.read(&mut down) => match read {
                Ok(length @ 1..) if client.write_all(&down[..length]).await.is_ok() => {}
                _ => return,
            },
        }
    }
}

/// Takes one whole message off the front.
fn message(bytes: &mut Vec<u8>, has_kind: bool) -> Option<(u8, Vec<u8>)> {
    let head = usize::from(has_kind);
    let length = bytes.get(head..head + 4)?;
    let length = head + u32::from_be_bytes(length.try_into().unwrap()) as usize;
    if bytes.len() < length {
        return None;
    }
    let rest = bytes.split_off(length);
    let message = std::mem::replace(bytes, rest);
    Some((if has_kind { message[0] } else { 0 }, message[head + 4..].to_vec()))
}

fn note(kind: u8, text: &[u8], heard: &mut Vec<Step>) {
    let mut read = Reader(text);
    match kind {
        b'Q' => heard.push(Step::Simple(read.text())),
        b'P' => {
            read.text();
            heard.push(Step::Query(read.text(), Vec::new()));
        }
        b'B' => {
            read.text();
            read.text();
            for _ in 0..read.short() {
                read.short();
            }
            let count = read.short();
            let values = (0..count).map(|_| read.value()).collect();
            if let Some(Step::Query(_, params)) = heard.last_mut() {
                *params = values;
            }
        }
        _ => {}
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take(&mut self, length: usize) -> Vec<u8> {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken.to_vec()
    }

    fn text(&mut self) -> String {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap();
        let text = String::from_utf8(self.take(end)).unwrap();
        self.take(1);
        text
    }

    fn short(&mut self) -> i16 {
        i16::from_be_bytes(self.take(2).try_into().unwrap())
    }

    fn value(&mut self) -> Option<String> {
        let length = i32::from_be_bytes(self.take(4).try_into().unwrap());
        let length = usize::try_from(length).ok()?;
        Some(String::from_utf8(self.take(length)).unwrap())
    }
}

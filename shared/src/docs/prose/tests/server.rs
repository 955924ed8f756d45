//! A server that speaks chat completions, well and badly.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How it answers one request.
#[derive(Clone)]
pub(super) enum Answer {
    /// A completion with that text, finished for that reason.
    Says(String, &'static str),
    /// A status with headers (each with its line's end) and a body.
    Status(u16, &'static str, String),
    /// 200 with that body, which says it is longer by so many bytes.
    Short(String, usize),
    /// 200 with a body that never ends, byte after byte.
    Drips,
    /// 200 with a body that never ends, as fast as it is read.
    Floods,
    /// Nothing, without closing.
    Silent,
    /// Closes.
    Closes,
}

impl Answer {
    pub(super) fn json(answer: &Value) -> Self {
        Self::Says(answer.to_string(), "stop")
    }
}

/// What it was sent.
#[derive(Clone)]
pub(super) struct Sent {
    pub head: String,
    pub body: Value,
}

type Choose = dyn Fn(&Value) -> Answer + Send + Sync;

/// The server. It ends with its value.
pub(super) struct Server {
    pub url: String,
    sent: Arc<Mutex<Vec<Sent>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Answers in that order, the last one ever after.
    pub(super) async fn in_turn(answers: Vec<Answer>) -> Self {
        let answers = Mutex::new(VecDeque::from(answers));
        Self::choosing(move |_| {
            let mut answers = answers.lock().unwrap();
            match answers.len() {
                1 => answers[0].clone(),
                _ => answers.pop_front().unwrap(),
            }
        })
        .await
    }

    /// Answers as the request's user message asks for.
    pub(super) async fn choosing(choose: impl Fn(&Value) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let sent = Arc::new(Mutex::new(Vec::new()));
        let (choose, noted): (Arc<Choose>, _) = (Arc::new(choose), sent.clone());
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, choose.clone(), noted.clone()));
            }
        });
        Self { url, sent, task }
    }

    pub(super) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, choose: Arc<Choose>, noted: Arc<Mutex<Vec<Sent>>>) -> Option<()> {
    let mut read = Vec::new();
    let (head, body) = loop {
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&read).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.to_ascii_lowercase();
        let length = length
            .split("content-length: ")
            .nth(1)?
            .lines()
            .next()?
            .trim()
            .parse::<usize>()
            .ok()?;
        if body.len() >= length {
            break (head.to_owned(), serde_json::from_str::<Value>(body).ok()?);
        }
    };
    let asked = serde_json::from_str(body["messages"][1]["content"].as_str()?).ok()?;
    noted.lock().unwrap().push(Sent { head, body });
    answer(&mut stream, choose(&asked)).await.ok()
}

async fn answer(stream: &mut TcpStream, answer: Answer) -> std::io::Result<()> {
    let endless = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000000\r\n\r\n{";
    match answer {
        Answer::Says(text, reason) => {
            let completion = json!({ "id": "x", "object": "chat.completion", "model": "m", "usage": {}, "choices": [
                { "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": reason }
            ] });
            whole(stream, 200, "", &completion.to_string(), 0).await
        }
        Answer::Status(status, headers, body) => whole(stream, status, headers, &body, 0).await,
        Answer::Short(body, missing) => whole(stream, 200, "", &body, missing).await,
        Answer::Drips => {
            stream.write_all(endless).await?;
            let mut pulse = tokio::time::interval(std::time::Duration::from_millis(5));
            loop {
                pulse.tick().await;
                stream.write_all(b" ").await?;
            }
        }
        Answer::Floods => {
            stream.write_all(endless).await?;
            loop {
                stream.write_all(&[b' '; 4096]).await?;
            }
        }
        Answer::Silent => std::future::pending().await,
        Answer::Closes => Ok(()),
    }
}

async fn whole(stream: &mut TcpStream, status: u16, headers: &str, body: &str, missing: usize) -> std::io::Result<()> {
    let length = body.len() + missing;
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

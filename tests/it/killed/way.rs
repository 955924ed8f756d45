//! The way of one worker at a time to its databases, where its round trips are counted and it can be made to die at one
//! of them.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Where a worker dies.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    /// At which of its messages to its databases, from 1.
    pub trip: usize,
    pub moment: Moment,
}

#[derive(Debug, Clone, Copy)]
pub enum Moment {
    /// The message does not arrive.
    Before,
    /// The database has answered, and nobody hears it.
    After,
}

/// How far the worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Alive,
    /// It has come to its point: nothing moves any more.
    Dying,
    Dead,
}

/// One worker's run.
struct Run {
    trips: usize,
    dies: Option<Point>,
    /// Its connections, as the server names them.
    ports: Vec<u16>,
    life: Arc<watch::Sender<Life>>,
}

impl Run {
    fn of(life: Arc<watch::Sender<Life>>, dies: Option<Point>) -> Self {
        Self {
            trips: 0,
            dies,
            ports: Vec::new(),
            life,
        }
    }
}

#[derive(Clone)]
pub struct Way {
    pub port: u16,
    run: Arc<Mutex<Run>>,
    /// The life of everybody else who comes by here.
    others: Arc<watch::Sender<Life>>,
}

impl Way {
    pub async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let others = Arc::new(watch::Sender::new(Life::Alive));
        let way = Self {
            port: listener.local_addr().unwrap().port(),
            run: Arc::new(Mutex::new(Run::of(others.clone(), None))),
            others,
        };
        let passing = way.clone();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(passing.clone().pass(client, server));
            }
        });
        way
    }

    /// A new worker sets out.
    pub fn set_out(&self, dies: Option<Point>) {
        let life = Arc::new(watch::Sender::new(Life::Alive));
        *self.run.lock().unwrap() = Run::of(life, dies);
    }

    /// Whoever connects now is none of the workers.
    pub fn leave_open(&self) {
        *self.run.lock().unwrap() = Run::of(self.others.clone(), None);
    }

    /// Waits until the worker has come to the point where it dies.
    pub async fn dying(&self) {
        let mut life = self.run.lock().unwrap().life.subscribe();
        life.wait_for(|life| *life == Life::Dying).await.unwrap();
    }

    /// The worker is dead: its connections are cut. How often it spoke, and which connections the server has to miss.
    pub fn buried(&self) -> (usize, Vec<u16>) {
        let run = self.run.lock().unwrap();
        run.life.send_replace(Life::Dead);
        (run.trips, run.ports.clone())
    }

    async fn pass(self, mut client: TcpStream, server: u16) {
        let mut server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
        let mut life = {
            let mut run = self.run.lock().unwrap();
            run.ports.push(server.local_addr().unwrap().port());
            run.life.subscribe()
        };
        let (mut up, mut down) = (vec![0; 65536], vec![0; 65536]);
        loop {
            tokio::select! {
                biased;
                () = ending(&mut life) => {
                    let _ = life.wait_for(|life| *life == Life::Dead).await;
                    return;
                }
                read = client.read(&mut up) => {
                    let Ok(length @ 1..) = read else { return };
                    let moment = self.count();
                    if !matches!(moment, Some(Moment::Before)) && server.write_all(&up[..length]).await.is_err() {
                        return;
                    }
                    if moment.is_some() {
                        if matches!(moment, Some(Moment::After)) {
                            let _ = server.read(&mut down).await;
                        }
                        self.run.lock().unwrap().life.send_replace(Life::Dying);
                    }
                }
                read = server.read(&mut down) => match read {
                    Ok(length @ 1..) if client.write_all(&down[..length]).await.is_ok() => {}
                    _ => return,
                },
            }
        }
    }

    /// Counts a message; whether it is the worker's last.
    fn count(&self) -> Option<Moment> {
        let mut run = self.run.lock().unwrap();
        run.trips += 1;
        run.dies
            .filter(|point| point.trip == run.trips)
            .map(|point| point.moment)
    }
}

async fn ending(life: &mut watch::Receiver<Life>) {
    let _ = life.wait_for(|life| *life != Life::Alive).await;
}

//! The client against addresses that are no node, or no longer one.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
    time::Duration,
};

use futures::StreamExt;

use super::{ANSWER_BYTES_MAX, Client, ClientError, EVENTS_SILENCE, Events, Wait, referred};

/// Answers its connections one after the other; what was asked can be received.
fn server(answers: Vec<impl FnOnce(&mut TcpStream) + Send + 'static>) -> (Client, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Client::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let (asked, questions) = mpsc::channel();
    thread::spawn(move || {
        let mut held = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                head.push(byte[0]);
            }
            let _ = asked.send(String::from_utf8(head).unwrap());
            answer(&mut stream);
            held.push(stream);
        }
        // The connections stay until nobody asks any more.
        while asked.send(String::new()).is_ok() {
            thread::sleep(Duration::from_millis(10));
        }
    });
    (client, questions)
}

fn says(text: impl Into<String>) -> Box<dyn FnOnce(&mut TcpStream) + Send> {
    let text = text.into();
    Box::new(move |stream| stream.write_all(text.as_bytes()).unwrap())
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_says_whereto() {
    for status in ["301 Moved Permanently", "307 Temporary Redirect"] {
        let elsewhere = "https://other.example/v1/transactions?wait=finalised";
        let answer = format!("HTTP/1.1 {status}\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let (client, questions) = server(vec![says(answer)]);
        let error = client.submit(&[b"x"], Wait::No).await.unwrap_err();
        assert!(questions.recv().unwrap().starts_with("POST /v1/transactions"));
        let told = error.to_string();
        assert!(told.contains("https://other.example (status 30"), "{told}");
        assert!(matches!(&error, ClientError::Redirected { location, .. } if location == "https://other.example"), "{told}");
        assert!(!error.retry());
    }
}

#[test]
fn whereto_a_redirect_leads_is_told_without_what_was_asked() {
    for (location, told) in [
        ("https://a.example/zl/v1/evidence/ZL1?x=1", "https://a.example/zl"),
        ("https://sso.example/login?next=/v1/evidence/ZL1", "https://sso.example/login"),
        ("/v1/evidence/ZL1", "/v1/evidence/ZL1"),
        ("", ""),
    ] {
        assert_eq!(referred(location, "/zl/v1/evidence/ZL1"), told);
    }
}

#[tokio::test]
async fn an_answer_that_has_no_end_is_given_up() {
    let endless = |head: &'static str| {
        Box::new(move |stream: &mut TcpStream| {
            stream.write_all(head.as_bytes()).unwrap();
            let chunk = [&b"100000\r\n"[..], &vec![b' '; 1 << 20], b"\r\n"].concat();
            // Until the client has had enough, or a quarter more than it may take.
            let _ = (0..(ANSWER_BYTES_MAX >> 20) * 5 / 4).try_for_each(|_| stream.write_all(&chunk));
        }) as Box<dyn FnOnce(&mut TcpStream) + Send>
    };
    let (client, _questions) = server(vec![
        endless("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"),
        says(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", ANSWER_BYTES_MAX + 1)),
        endless("HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\n\r\n"),
    ]);
    assert!(matches!(client.status().await, Err(ClientError::TooLarge(ANSWER_BYTES_MAX))));
    assert!(matches!(client.metrics().await, Err(ClientError::TooLarge(_))));
    assert!(matches!(client.status().await, Err(ClientError::Unexpected(404))));
}

#[tokio::test]
async fn what_a_proxy_says_of_a_node_that_restarts_may_be_asked_again() {
    for (status, again) in [(502, true), (503, true), (504, true), (500, false), (404, false)] {
        let page = "<html>sorry</html>";
        let (client, _questions) =
            server(vec![says(format!("HTTP/1.1 {status} No\r\ncontent-length: {}\r\n\r\n{page}", page.len()))]);
        let error = client.status().await.unwrap_err();
        assert!(matches!(error, ClientError::Unexpected(it) if it == status), "{error}");
        assert_eq!(error.retry(), again, "{status}");
    }
}

#[tokio::test]
async fn a_stream_on_which_nothing_comes_goes_on_after_its_last_event_elsewhere() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    let (mut client, questions) = server(vec![
        says(format!("{head}event: block\ndata: 1\nid: 7:0\n\nevent: block\ndata: half")),
        says(format!("{head}event: block\ndata: 2\nid: 8:0\n\n")),
        says(head),
    ]);
    client.silence = Duration::from_millis(50);
    let mut stream = client.events(None, &["block"]).await.unwrap();
    let first = stream.next().await.unwrap().unwrap();
    assert_eq!((first.id.as_str(), first.data.as_str()), ("7:0", "1"));
    let second = stream.next().await.unwrap().unwrap();
    assert_eq!((second.id.as_str(), second.data.as_str()), ("8:0", "2"));
    // The third says nothing at all.
    assert!(matches!(stream.next().await, Some(Err(ClientError::Silent))));
    assert!(stream.next().await.is_none());
    let asked: Vec<String> = questions.iter().take(3).collect();
    assert!(!asked[0].contains("last-event-id"));
    assert!(
        asked[1].contains("last-event-id: 7:0\r\n") && asked[1].starts_with("GET /v1/events?types=block "),
        "{}",
        asked[1]
    );
    assert!(asked[2].contains("last-event-id: 8:0\r\n"), "{}", asked[2]);
}

#[tokio::test]
async fn a_stream_without_an_event_ends_when_nothing_comes() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: alive\n\n";
    let (mut client, _questions) = server(vec![says(head)]);
    client.silence = Duration::from_millis(50);
    let mut stream = client.events(None, &[]).await.unwrap();
    assert!(matches!(stream.next().await, Some(Err(ClientError::Silent))));
    // The node says every 15 seconds that it is alive; two of these may be lost.
    assert_eq!(Events::new(Box::pin(futures::stream::empty()), None).silence, EVENTS_SILENCE);
    assert!(EVENTS_SILENCE >= Duration::from_secs(3 * 15));
}

use std::sync::atomic::*;
use std::time::*;
fn main() {
    let client = steadis::Client::new(steadis::Config::from_env().unwrap());
    let t0 = Instant::now();
    client.on(move |e| println!("{:.3} {e:?}", t0.elapsed().as_secs_f64())).unwrap();
    client.ready().unwrap();
    println!("ready after {:?}", t0.elapsed());
    let secs: f64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let (ok, bad) = (AtomicU64::new(0), AtomicU64::new(0));
    let longest = AtomicU64::new(0);
    std::thread::scope(|s| {
        for w in 0..8 {
            let (client, ok, bad, longest) = (client.clone(), &ok, &bad, &longest);
            s.spawn(move || while t0.elapsed().as_secs_f64() < secs {
                let t = Instant::now();
                match client.call(&["INCR", &format!("n{w}")]) {
                    Ok(_) => { ok.fetch_add(1, Ordering::Relaxed); }
                    Err(e) => { println!("{:.3} {e:?}", t0.elapsed().as_secs_f64()); bad.fetch_add(1, Ordering::Relaxed); }
                }
                longest.fetch_max(t.elapsed().as_micros() as u64, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(5));
            });
        }
    });
    let total: i64 = (0..8).map(|w| client.call(&["GET", &format!("n{w}")]).unwrap().as_integer().unwrap()).sum();
    println!("acked {ok:?} failed {bad:?} counted {total} longest {longest:?} us");
}

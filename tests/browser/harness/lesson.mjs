// A lesson as the view keeps one: a hello, and ten ticks a second. Made up, so that the picture can be tried with 512 busy
// clients, or while anything happens, on any machine.

export const DOING = [
  ["starting", 1], ["working", 0], ["accepting", 1], ["reading", 1], ["waiting for an answer", 2], ["waiting for the channel", 2],
  ["waiting for the registry", 3], ["sending its answer", 4], ["pausing", 2], ["waiting for events", 1], ["waiting for the disk", 2],
  ["applying events", 0], ["sending", 0], ["waiting for slow clients", 1], ["waiting for lines", 1], ["waiting to hash", 2],
  ["hashing a password", 0], ["waiting for records", 1], ["writing history", 0], ["waiting for an outbox", 3], ["waiting for a signal", 1],
  ["waiting for browsers", 1], ["waiting for the refused", 1], ["waiting for its time", 1], ["holding a lock", 2],
];
const doing = (words) => DOING.findIndex(([other]) => other === words);

const NAMES = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "mallory", "niaj", "olivia", "peggy", "rupert", "sybil", "trent", "victor", "walter", "zoe"];
export const HAZARDS = [
  ["freeze", "freeze a reader", "Who notices that one client does not read?", ["nobody else", "whoever talks to it", "everybody in its room"]],
  ["flood", "flood", "What slows a client down that never stops talking?", ["the server reads it more slowly", "its own network", "a warning"]],
  ["panic", "panic", "Who is thrown out when one client's thread panics?", ["that client alone", "everybody in its room", "everybody"]],
  ["registry", "hold the registry", "Who waits while one thread holds the lock of the registry?", ["whoever comes or leaves", "whoever talks", "everybody"]],
  ["outbox", "hold an outbox", "Who waits while one thread holds the lock of one client's outbox?", ["that client alone", "whoever comes or leaves", "everybody who talks or reads"]],
  ["disk", "slow disk", "What becomes of a line while the disk is slow?", ["it is lost", "it is shown later", "it is shown at once and written later"]],
  ["logins", "50 log in", "How long does the room wait while fifty passwords are compared?", ["not at all", "as long as one takes", "as long as all fifty take"]],
  ["joins", "100 join", "How many more threads does the server have then?", ["none: a few threads serve all", "one for each client", "one for each core"]],
  ["slow", "slow motion", "Who sends a line to everybody in the room?", ["the talker's own thread", "each reader's own thread", "the fan-out"]],
].map(([name, label, question, answers]) => ({ do: name, label, question, answers, seconds: 10, with: name === "disk" ? [["500 ms", 500], ["50 ms", 50], ["2 s", 2000]] : [] }));

// A generator of numbers that is the same each time.
function dice(seed) {
  return () => {
    seed = (seed * 1664525 + 1013904223) % 2 ** 32;
    return seed / 2 ** 32;
  };
}

// `talkers`: how many of the clients talk all the time. `hazard`: what happens from the middle on.
export function lesson({ clients = 40, seconds = 35, talkers = 6, hazard = "", may = true } = {}) {
  const random = dice(7), t0 = 2_460_000, out = [];
  const hello = {
    chatd: "0.2.0", t: t0, now: Date.UTC(2026, 10, 27, 11, 34, 56), zone: "+01:00", tick: 100, strip: 300, cores: 2, places: 512, anonymous: false,
    you: { name: "alice", may }, kinds: ["works", "waits for work", "waits for another thread or the disk", "waits for a lock", "writes to a slow socket"],
    doing: DOING, locks: ["the registry", "an outbox"],
    queues: [["events", "events waiting", 1024], ["batch", "bytes to show", 46080], ["records", "bytes to be written", 4194304], ["hashing", "", 2], ["to_hash", "", 0], ["flusher", "", 0], ["fullest", "", 0]],
    stages: ["read", "sent to the channel", "taken by the fan-out", "applied", "handed to the historian", "written", "laid out", "first send", "last send"],
    limits: { high_water: 65536, write_deadline: 10 }, options: ["--demo"], hazards: HAZARDS, record: { usual: 10, most: 60, now: false },
  };
  out.push({ hello });
  const house = [["accept", "accepting"], ["web", "waiting for browsers"], ["fanout", "waiting for events"], ["historian", "waiting for records"], ["flusher", "waiting for slow clients"], ["linger", "waiting for the refused"], ["logger", "waiting for lines"], ["main", "waiting for a signal"], ["view", "working"], ["v1", "reading"]];
  const threads = house.map(([name], i) => [i + 1, name, name === "v1" ? 2 : 0]);
  for (let i = 0; i < clients; i += 1) threads.push([i + 20, `c${i + 1}:${NAMES[i % NAMES.length]}${i < NAMES.length ? "" : Math.floor(i / NAMES.length)}`, 1]);
  let said = 1204, delivered = 41377, frozen = 0, nextId = 20 + clients;
  const middle = Math.floor(seconds * 10 * 0.6);
  for (let n = 1; n <= seconds * 10; n += 1) {
    const is = (name, from = 0, to = 80) => hazard === name && n >= middle + from && n < middle + to;
    const tick = { t: t0 + n * 100, n: 1, th: [], q: [0, 0, 0, 0, 0, 0, 0] };
    if (n === 1) {
      Object.assign(tick, { all: true, new: threads });
      for (const [id, name] of threads) {
        const words = house.find(([other]) => other === name)?.[1] ?? "reading";
        tick.th.push([id, doing(words), [doing(words), 255], 0, 0, 0, 0]);
      }
    } else {
      const stopped = is("outbox", 10, 20), lines = stopped ? 0 : talkers;
      const talking = Array.from({ length: talkers }, (_, i) => 20 + ((i * 7 + Math.floor(n / 40) * 3) % Math.max(1, clients)));
      for (const id of new Set(talking)) {
        if (stopped) tick.th.push([id, doing("waiting for the channel"), [doing("waiting for the channel"), 200, doing("reading"), 55], 0, 0, 0, 0]);
        else if (random() < 0.5) tick.th.push([id, doing("reading"), [doing("reading"), 235, doing("working"), 15, doing("waiting for an answer"), 5], 1 + Math.floor(random() * 3), lines, 0, 0]);
      }
      said += lines;
      delivered += lines * clients;
      const load = Math.min(200, Math.floor(talkers * clients * 0.02 * (0.5 + random())));
      if (stopped) tick.th.push([3, doing("waiting for an outbox"), [doing("waiting for an outbox"), 255], 0, 0, 0, 1]);
      else tick.th.push([3, doing("sending"), [doing("waiting for events"), 235 - load, doing("sending"), Math.ceil(load * 0.7) + 10, doing("applying events"), Math.floor(load * 0.3) + 10], lines, lines * clients, 0, 0]);
      const slow = is("disk") ? 240 : 30 + Math.floor(random() * 30);
      tick.th.push([4, doing("writing history"), [doing("writing history"), slow, doing("waiting for records"), 255 - slow], lines, 0, 0, 0]);
      tick.th.push([9, doing("working"), [doing("waiting for its time"), 250, doing("working"), 5], 0, 0, 0, 0]);
      tick.q = [stopped ? 20 + n % 100 : Math.floor(random() * 3), Math.floor(random() * 1900), Math.floor(random() * 900), 0, 0, 0, 0];
      if (is("disk")) tick.q = [Math.min(1024, (n - middle) * 13), 45_000, 60_000 + (n - middle) * 4000, 0, 0, 0, 0];
      if (is("freeze", 0, 1)) tick.new = [[frozen = nextId++, `c${clients + 1}:demo-frozen`, 1], [nextId++, `c${clients + 2}:demo-talker`, 1], [nextId++, "demo:freeze", 3]];
      if (is("freeze", 1, 42)) {
        const bytes = Math.min(65536, (n - middle) * 1600);
        tick.th.push([frozen, doing("reading"), [doing("reading"), 255], 0, 40, bytes, 0], [frozen + 1, doing("reading"), [doing("reading"), 200, doing("working"), 55], 40, 0, 0, 0], [5, doing("waiting for slow clients"), [doing("waiting for slow clients"), 255], 0, 0, 0, 0]);
        [tick.q[5], tick.q[6]] = [1, bytes];
      }
      if (is("freeze", 42, 43)) tick.gone = [frozen, frozen + 1];
      if (is("freeze", 20, 21)) tick.say = [["12:35:18", "warn", "demo-frozen takes nothing for 2 s; at 10 s, or 64 KiB, it is hung up."]];
      if (is("freeze", 42, 43)) tick.say = [["12:35:20", "end", "demo-frozen is hung up: more than 65536 bytes waited."]];
      if (is("registry", 0, 30)) {
        const waiting = [21, 23, 27].slice(0, 1 + Math.floor((n - middle) / 10));
        for (const id of waiting) tick.th.push([id, doing("waiting for the registry"), [doing("waiting for the registry"), 255], 0, 0, 0, 1]);
        if (is("registry", 0, 1)) tick.new = [[nextId, "demo:registry", 3]];
        tick.th.push([nextId, doing("holding a lock"), [doing("holding a lock"), 255], 0, 0, 0, 0]);
        tick.l = [[0, 1, 100_000, (n - middle) * 100_000, waiting.map((id) => [id, nextId, (n - middle) * 100_000])]];
      }
      if (is("logins", 0, 30)) {
        for (let i = 0; i < Math.min(50, clients); i += 1) {
          const words = i < 2 ? "hashing a password" : "waiting to hash";
          tick.th.push([20 + i, doing(words), [doing(words), 255], 0, 0, 0, 0]);
        }
        [tick.q[3], tick.q[4]] = [2, 48];
      }
      if (hazard && is(hazard, 0, 1)) tick.hz = [[hazard, "begun", `A demonstration: ${HAZARDS.find((one) => one.do === hazard).label} (alice).`, 10]];
      if (hazard && is(hazard, 60, 61)) tick.hz = [[hazard, "ended", "End of the demonstration. (A) nobody else.", 0]];
    }
    if (n % 10 === 1) tick.sum = { clients, said, delivered, slow: 0, refused: 0, cpu: 300 + Math.floor(random() * 500), view: 3, lookers: 1 };
    if (n % 5 === 0) tick.way = { n, who: 20, us: [0, 20, 60, 70, 75, is("disk") ? 480_000 : 1170, is("disk") ? 480_010 : 1180, is("disk") ? 480_020 : 1190, is("disk") ? 480_110 : 1280] };
    out.push(tick);
  }
  return out.map((message) => JSON.stringify(message)).join("\n") + "\n";
}

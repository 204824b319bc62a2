/**
 * Alerts in a browser, for as long as the page is open: connects, shows, acknowledges, and comes
 * again when the connection ends. Nothing but what every browser has.
 *
 *   url        of Kavach: `wss://kavach.your-domain.com`
 *   getTicket  asks your own server for a ticket, once for every connection
 *   onAlert    shows one; call `acknowledge()` when a person has it in view
 *   onTaken    another device has acknowledged it: take it off the screen
 *
 * Returns a function that ends it.
 */
export function connectPush({ url, getTicket, onAlert, onTaken = () => {} }) {
  // The gateway says something every 20 s: after so long without a word the connection is dead.
  const SILENT_MS = 45_000;
  const shown = new Set();
  let socket;
  let timer;
  let silence;
  let tries = 0;
  let isOver = false;

  async function connect() {
    try {
      const ticket = await getTicket();
      if (isOver) return;
      open(new WebSocket(`${url}/v1/push?ticket=${encodeURIComponent(ticket)}`));
    } catch {
      again();
    }
  }

  function open(opened) {
    socket = opened;
    listen();
    opened.onmessage = ({ data }) => {
      listen();
      const frame = JSON.parse(data);
      if (frame.type === 'hello') tries = 0;
      if (frame.type === 'acknowledged') onTaken(frame.id);
      if (frame.type !== 'notification' || shown.has(frame.id)) return;
      shown.add(frame.id);
      // Said over the connection there is by then, which may be a later one.
      onAlert(frame, () => socket.send(JSON.stringify({ type: 'ack', id: frame.id })));
    };
    // What is wrong with it is said by its end, which follows.
    opened.onerror = () => {};
    opened.onclose = ({ code }) => {
      // 1012: this gateway ends, and others are there; everybody comes within the next second.
      if (code === 1012) tries = 2;
      again();
    };
  }

  function listen() {
    clearTimeout(silence);
    silence = setTimeout(() => socket.close(), SILENT_MS);
  }

  function again() {
    clearTimeout(silence);
    clearTimeout(timer);
    if (isOver) return;
    // Soon, then less and less often, and never all at once.
    const wait = Math.min(250 * 2 ** tries, 30_000);
    tries += 1;
    timer = setTimeout(connect, wait * (0.5 + Math.random() / 2));
  }

  void connect();
  return () => {
    isOver = true;
    clearTimeout(timer);
    clearTimeout(silence);
    socket?.close();
  };
}

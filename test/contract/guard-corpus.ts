/** Ways to write an address that a guard must not let through; hosts first, then whole addresses. */

/** As they stand in `https://<host>/`. A name resolves to the loopback address. */
export const FORBIDDEN_HOSTS: readonly string[] = [
  // Loopback: decimal, hexadecimal, octal, short, padded.
  ...['127.0.0.1', '127.0.1', '127.1', '2130706433', '0x7f000001', '0x7F.1', '0x7f.0x0.0x0.0x1'],
  ...['0177.0.0.1', '0177.1', '017700000001', '127.000.000.001', '127.255.255.254'],
  ...['127.0.0.1.', '127.1.', '0', '00', '0x0', '0.0.0.0', '0.1.2.3'],
  ...['[::1]', '[0:0:0:0:0:0:0:1]', '[0000:0000:0000:0000:0000:0000:0000:0001]', '[::]'],
  // IPv4 inside IPv6: mapped, compatible, translated, NAT64, 6to4, Teredo.
  ...['[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::FFFF:7F00:0001]', '[0:0:0:0:0:ffff:127.0.0.1]'],
  ...['[::ffff:8.8.8.8]', '[::127.0.0.1]', '[::7f00:1]', '[::ffff:0:127.0.0.1]'],
  ...['[64:ff9b::127.0.0.1]', '[64:ff9b::7f00:1]', '[64:ff9b::a9fe:a9fe]', '[64:ff9b:1::7f00:1]'],
  ...['[2002:7f00:1::]', '[2002:a00:1::1]', '[2001:0:7f00:1::]', '[2001::80ff:fffe]'],
  // Private, carrier-grade NAT, link-local, metadata services, unique-local, site-local.
  ...['10.0.0.1', '10.255.255.255', '0xa000001', '172.16.0.1', '172.31.255.254', '192.168.1.1'],
  ...['3232235777', '0300.0250.0.1', '100.64.0.1', '100.127.255.254', '169.254.0.1'],
  ...['169.254.169.254', '2852039166', '0xa9fea9fe', '0251.0376.0251.0376', '169.254.43518'],
  ...['[fe80::1]', '[febf::1]', '[::ffff:169.254.169.254]', '[fd00:ec2::254]', '[fc00::1]'],
  ...['[fdff::1]', '[fec0::1]'],
  // Multicast, broadcast, reserved, documentation, benchmarks, and what is no public block at all.
  ...['224.0.0.1', '239.255.255.255', '[ff02::1]', '255.255.255.255', '240.0.0.1', '192.0.0.1'],
  ...['192.0.2.1', '198.51.100.1', '203.0.113.1', '198.18.0.1', '198.19.255.255', '192.88.99.1'],
  ...['[2001:db8::1]', '[3fff::1]', '[100::1]', '[2001:2::1]', '[2001:10::1]', '[5f00::1]'],
  ...['[4000::1]', '[e000::1]'],
  // Percent-encoded, full-width and circled digits, other dots.
  ...['127%2e0%2e0%2e1', '%31%32%37.0.0.1', '0x7f%2E1', '１２７.０.０.１', '127。0。0。1'],
  ...['127．0．0．1', '127｡1', '①②⑦.⓪.⓪.①', '１６９．２５４．１６９．２５４'],
  // Names of this machine, and of anybody who points his at it.
  ...['localhost', 'LOCALHOST', 'localhost.', 'ｌｏｃａｌｈｏｓｔ', 'ⓛocalhost', 'ip6-localhost'],
  ...['localhost.localdomain', 'loopback.example', 'xn--bcher-kva.example', 'bücher.example'],
];

/** Whole addresses, as a customer may type them; `port` is that of a server on 127.0.0.1. */
export const forbiddenAddresses = (port: number): readonly string[] => [
  // Who is asked is not who it seems to be.
  `https://public.example@127.0.0.1:${port}/`,
  `https://public.example:443@127.0.0.1:${port}/`,
  `https://user:canary@public.example:${port}/`,
  `https://user@[::1]:${port}/`,
  `https://127.0.0.1:${port}#@public.example/`,
  `https://127.0.0.1:${port}?@public.example/`,
  `https://127.0.0.1:${port}\\@public.example/`,
  // What a browser repairs.
  `https:\\\\127.0.0.1:${port}\\`,
  `https:/\\127.0.0.1:${port}/`,
  `https:127.0.0.1:${port}/`,
  `https:////127.0.0.1:${port}/`,
  `HTTPS://127.0.0.1:${port}/`,
  ` https://127.0.0.1:${port}/ `,
  `\u0000https://127.0.0.1:${port}/`,
  `ht\ntps://127.0.0.1:${port}/`,
  `https://127.0.0\t.1:${port}/`,
  `https://127.0.\r\n0.1:${port}/`,
  `https://127.0.0.1:${port}\t/`,
  // Hosts and ports that are none.
  `https://[::1%25lo]:${port}/`,
  `https://[fe80::1%eth0]:${port}/`,
  `https://127.0.0.1 :${port}/`,
  `https://127.0.0.256:${port}/`,
  `https://0x7f.0.0.0.1:${port}/`,
  `https://127.0.0.1%00.public.example:${port}/`,
  'https://127.0.0.1:99999/',
  'https://',
  '',
  `127.0.0.1:${port}`,
  `//127.0.0.1:${port}/`,
  // Other ways to talk.
  `http://127.0.0.1:${port}/`,
  `http://localhost:${port}/`,
  `http://[::ffff:7f00:1]:${port}/`,
  `ws://127.0.0.1:${port}/`,
  `ftp://127.0.0.1:${port}/`,
  `gopher://127.0.0.1:${port}/_POST`,
  `dict://127.0.0.1:${port}/`,
  `file:///etc/passwd`,
  `file://127.0.0.1:${port}/`,
  `unix:/var/run/docker.sock`,
  `blob:https://127.0.0.1:${port}/x`,
  `data:text/plain,x`,
  `javascript:0`,
];

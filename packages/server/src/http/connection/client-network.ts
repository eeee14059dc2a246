/** The network that an address is counted under. */
import { isIPv6 } from 'node:net';

/** An IPv6 customer has a network of at least 64 bits of prefix (RFC 6177), and can use any address in it. */
const NETWORK_GROUPS = 4;

/** @returns an IPv4 address itself, also when it is mapped into IPv6; the /64 network of any other IPv6 address. */
export function clientNetwork(address = ''): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return mapped;
  const plain = address.replace(/%.*$/, '');
  if (!isIPv6(plain)) return address;
  const [head = '', tail] = plain.toLowerCase().split('::');
  const groups = head === '' ? [] : head.split(':');
  // `::` stands for as many zero groups as are missing.
  const behind = tail ? tail.split(':').length : 0;
  if (tail !== undefined) while (groups.length + behind < 8 && groups.length < NETWORK_GROUPS) groups.push('0');
  if (tail) groups.push(...tail.split(':'));
  const network = groups.slice(0, NETWORK_GROUPS).map((group) => group.replace(/^0+(?=.)/, ''));
  return `${network.join(':')}::/64`;
}

/** Behind Caddy, with deploy/caddy/Caddyfile. */
import { testBehind } from './behind.ts';
import { CADDY } from './engine.ts';

testBehind(CADDY);

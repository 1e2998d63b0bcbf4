// nginx as the plainest door in front of Spot: it compares the caller's token, and puts Spot's in its place.
import { spawn } from 'node:child_process'
import { accessSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { answering, folder, freePort, started, TOKEN } from './processes.js'

const PARTS = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
const NGINX = '/usr/sbin/nginx'

/** @returns the server; undefined where there is no nginx */
export async function nginx ({ id, token, endpoint }) {
  try {
    accessSync(NGINX)
  } catch {
    return undefined
  }
  const port = await freePort()
  const home = folder()
  writeFileSync(join(home, 'nginx.conf'), `
    daemon off;
    master_process off;
    pid ${home}/pid;
    error_log ${home}/error.log;
    events { worker_connections 1024; }
    http {
      access_log ${home}/access.log;
      ${PARTS.map((part) => `${part}_temp_path ${home}/${part};`).join(' ')}
      map_hash_bucket_size 128;
      map $http_x_auth_token $known { default 0; '${TOKEN['x-auth-token']}' 1; }
      upstream spot { server ${new URL(endpoint).host}; keepalive 32; }
      server {
        listen 127.0.0.1:${port};
        keepalive_requests 1000000;
        location = /v1/spot/ping { return 200 pong; }
        location /v1/spot/demo/elastigroups {
          if ($known = 0) { return 401; }
          rewrite ^/v1/spot/demo/elastigroups(.*)$ /aws/ec2/group$1?accountId=${id} break;
          proxy_pass http://spot;
          proxy_http_version 1.1;
          proxy_set_header Connection '';
          proxy_set_header Authorization 'Bearer ${token}';
        }
      }
    }`)
  const child = spawn(NGINX, ['-p', home, '-c', join(home, 'nginx.conf')], { stdio: ['ignore', 'ignore', 'inherit'] })
  const server = { ...started(child), url: `http://127.0.0.1:${port}/v1/spot` }
  await answering(`${server.url}/ping`, child)
  return server
}

# docker build --build-arg GITHASH=$(git rev-parse HEAD) -t spot-api .
#
# Real accounts, from config/config.json, which user 65532 must be able to read:
#   docker run -p 8080:8080 -v ./config:/app/config:ro -v spot-api-state:/app/state spot-api
# The sandbox; it listens on loopback, which nobody outside a container can reach, unless told otherwise:
#   docker run -p 8080:8080 spot-api --listen 0.0.0.0:8080
# Nothing but /app/state is written, so --read-only can be added. The sandbox keeps its state in /tmp: --tmpfs /tmp.
# It drains for drainSeconds (5), and a write under way may take a minute more, so let it end: docker stop --time 75.

# Bases are pinned by the digest of their index, for all processors; .github/dependabot.yml moves them on.
FROM node:22-bookworm-slim@sha256:43ac6c60b8f89723f746e8a92ce91abd5017e627ce1ddfe4238355d3a30b772c AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Scripts would build before the sources are here.
RUN npm ci --ignore-scripts
COPY . .
ARG GITHASH
RUN npm run build && find dist -name '*.d.ts' -delete

FROM node:22-bookworm-slim@sha256:43ac6c60b8f89723f746e8a92ce91abd5017e627ce1ddfe4238355d3a30b772c AS modules
WORKDIR /app
COPY package.json package-lock.json ./
# No scripts: what is native comes built, in packages of its own, for the same Debian as below.
RUN npm ci --omit=dev --ignore-scripts
# A third of it is for those who develop.
RUN find node_modules -type f \( -name '*.map' -o -name '*.md' -o -name '*.ts' -o -name '*.[cm]ts' \) -delete
RUN mkdir -m 700 state

# Node.js and what it needs, no shell and no package manager: nothing can be run here but the server.
FROM gcr.io/distroless/nodejs22-debian12:nonroot@sha256:13593b7570658e8477de39e2f4a1dd25db2f836d68a0ba771251572d23bb4f8e
ARG GITHASH
LABEL org.opencontainers.image.title="spot-api" \
      org.opencontainers.image.description="A REST door in front of Spot for AWS Elastigroups and managed instances" \
      org.opencontainers.image.source="https://github.com/YaleSpinup/spot-api" \
      org.opencontainers.image.licenses="AGPL-3.0-only" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${GITHASH}"
ENV NODE_ENV=production
# For the health check alone: override it where listenAddress names another port.
ENV HEALTH_URL=http://127.0.0.1:8080/v1/spot/ping
WORKDIR /app
COPY --from=modules /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/openapi/spot-api.json openapi/spot-api.json
COPY --from=build /app/services/state/sqlite-worker.js /app/services/state/sqlite-file.js services/state/
COPY --from=build /app/package.json /app/LICENSE ./
# What must survive a restart, unless it is in a Redis; it belongs to the user who runs, and to nobody else.
COPY --from=modules --chown=65532:65532 /app/state state
VOLUME /app/state
# By number, or Kubernetes could not tell that it is not root.
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s \
  CMD ["/nodejs/bin/node", "-e", "fetch(process.env.HEALTH_URL).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# The process itself, with no shell around it, so that signals reach it.
ENTRYPOINT ["/nodejs/bin/node", "dist/server.js"]

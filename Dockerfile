# docker build --build-arg GITHASH=$(git rev-parse HEAD) -t spot-api .
#
# Real accounts, from config/config.json:
#   docker run -p 8080:8080 -v ./config:/app/config:ro -v spot-api-state:/app/state spot-api
# The sandbox; it listens on loopback, which nobody outside a container can reach, unless told otherwise:
#   docker run -p 8080:8080 spot-api --listen 0.0.0.0:8080
# It drains for drainSeconds (5), and a write under way may take a minute more, so let it end: docker stop --time 75.

FROM node:22-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Scripts would build before the sources are here.
RUN npm ci --ignore-scripts
COPY . .
ARG GITHASH
RUN npm run build

FROM node:22-slim AS modules
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts

FROM node:22-slim
ARG GITHASH
LABEL org.opencontainers.image.title="spot-api" \
      org.opencontainers.image.description="A REST door in front of Spot for AWS Elastigroups and managed instances" \
      org.opencontainers.image.source="https://github.com/YaleSpinup/spot-api" \
      org.opencontainers.image.licenses="AGPL-3.0-only" \
      org.opencontainers.image.revision="${GITHASH}"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=modules /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/openapi/spot-api.json openapi/spot-api.json
COPY package.json LICENSE ./
# What must survive a restart, unless it is in a Redis; it belongs to the user who runs, and to nobody else.
RUN install --directory --owner node --group node --mode 700 state
VOLUME /app/state
USER node
EXPOSE 8080
# Override it where listenAddress names another port.
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/v1/spot/ping').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/server.js"]

# The server in a container of its own.
#
#   docker build -t countersign .
#   docker run --read-only -p 127.0.0.1:8080:8080 -v countersign-data:/data countersign
#
# compose.yaml runs it with everything closed that can be closed; docs/guides/operating.md says how
# to live with it.

# The very Node that the tests run on.
FROM node:26.10.0-slim AS base

FROM base AS build
WORKDIR /app
COPY . .
# As .ci/run installs on a clean clone.
RUN npm ci
# What only tests and checks need goes again, and the second Node beside the image's own.
RUN npm prune --omit=dev --omit=optional

FROM base
# SQLite sorts what does not fit into memory in files: beside the store, so that nothing else has to
# be writable.
ENV COUNTERSIGN_HOST=0.0.0.0 \
    COUNTERSIGN_DATA_DIR=/data \
    SQLITE_TMPDIR=/data
WORKDIR /app
COPY --from=build /app .
# `docker exec … countersign backup …` runs any command. `exec`: the server itself gets the signals.
RUN printf '#!/bin/sh\nexec node /app/server/src/main.ts "$@"\n' > /usr/local/bin/countersign \
    && chmod 0755 /usr/local/bin/countersign \
    && install -d -m 0700 -o 1000 -g 1000 /data
# By number, so that an orchestrator can see that it is not root.
USER 1000:1000
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.COUNTERSIGN_PORT || 8080}/readyz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["countersign"]
CMD ["serve"]

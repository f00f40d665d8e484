# The image of the agent. Not built by the tests: they have no container engine.
#
#   docker build -t caracal .

FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
COPY tsconfig.json ./
COPY scripts/build.ts scripts/
COPY src src
RUN node scripts/build.ts

# Debian 12 has iptables 1.8.9 with both backends. An iptables that is not newer than the node's reads what the node's programs
# wrote, and is read by them.
FROM node:24-bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends conntrack inotify-tools iproute2 ipset iptables nftables \
 && rm -rf /var/lib/apt/lists/* /usr/local/lib/node_modules /opt/yarn* \
 && rm -f /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg
COPY --from=build /src/dist/caracal.mjs /opt/caracal/dist/caracal.mjs
COPY bin/caracal /opt/caracal/bin/caracal
RUN ln -s /opt/caracal/bin/caracal /usr/local/bin/caracal && caracal version
ENV NODE_ENV=production
# The launcher replaces itself by Node, so that signals reach the agent.
ENTRYPOINT ["/opt/caracal/bin/caracal"]
CMD ["run"]

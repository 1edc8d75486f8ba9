# tools/check-image.ts runs the same commands without a container.
FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
# The npm package node brings a Node for machines with an older one; scripts of packages have nothing to do for a build.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN node node_modules/typescript/bin/tsc -p tsconfig.build.json
RUN npm prune --omit=dev --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production SATCHEL_HOST=0.0.0.0 SATCHEL_DATA_DIR=/data
WORKDIR /app
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY proto proto
COPY LICENSE ./
RUN mkdir -m 700 /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 4600
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --start-interval=1s CMD ["node", "dist/main.js", "healthcheck"]
CMD ["node", "dist/main.js", "serve"]

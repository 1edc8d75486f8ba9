import { expect, test } from "vitest";
import { Member } from "../../src/areas/groups/delivery/member.ts";
import type { Delivery } from "../../src/areas/groups/domain/consumer-groups.ts";

const delivery = {} as Delivery;

test("one who does not fetch what is overdue by now has no room for more of it", async () => {
  const member = new Member({ memberId: "m", memberName: "", maxInFlight: 3 });
  let room = 0;
  member.onRoom = () => void room++;
  member.tell({ kind: "deliveries", deliveries: [delivery, delivery] });
  member.inFlight = 2;
  expect(member.room).toBe(1);
  // They have passed their deadlines.
  member.inFlight = 0;
  expect(member.room).toBe(1);
  member.tell({ kind: "deliveries", deliveries: [delivery] });
  expect(member.room).toBe(0);
  const { signal } = new AbortController();
  await member.next(1_000, signal);
  expect({ room: member.room, told: room }).toEqual({ room: 2, told: 1 });
  await member.next(1_000, signal);
  expect({ room: member.room, told: room }).toEqual({ room: 3, told: 1 });
});

test("one who hears nothing for a while hears a heartbeat, and again; what comes meanwhile comes at once", async () => {
  const member = new Member({ memberId: "m", memberName: "", maxInFlight: 3 });
  const { signal } = new AbortController();
  for (let times = 0; times < 2; times++) expect(await member.next(20, signal)).toEqual({ kind: "heartbeat" });
  const hearing = member.next(60_000, signal);
  member.tell({ kind: "deliveries", deliveries: [delivery] });
  expect((await hearing).kind).toBe("deliveries");
});

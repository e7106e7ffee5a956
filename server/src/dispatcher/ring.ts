/** What a member of a ring carries. It is in one ring at a time. */
export interface RingLinks<Member> {
  previous: Member | null
  next: Member | null
}

/** An ordered set in which everything takes constant time: adding last, removing anywhere. */
export interface Ring<Member> {
  first: Member | null
  last: Member | null
}

export function createRing<Member>(): Ring<Member> {
  return { first: null, last: null }
}

/** Adds a member that is in no ring. */
export function addLast<Member extends RingLinks<Member>>(
  ring: Ring<Member>,
  member: Member,
): void {
  member.previous = ring.last
  member.next = null
  if (ring.last === null) ring.first = member
  else ring.last.next = member
  ring.last = member
}

/** Removes a member of this ring. */
export function remove<Member extends RingLinks<Member>>(ring: Ring<Member>, member: Member): void {
  if (member.previous === null) ring.first = member.next
  else member.previous.next = member.next
  if (member.next === null) ring.last = member.previous
  else member.next.previous = member.previous
  member.previous = null
  member.next = null
}

/** What a member of a heap carries. It is in one heap at a time, and its time does not change there. */
export interface HeapLinks {
  /** What the heap is ordered by. */
  wakeAt: number
  /** Where it is in `members`; the heap's own. */
  heapIndex: number
}

/** Members by time, the earliest first: a binary heap from which any member can be removed. */
export interface TimeHeap<Member> {
  members: Member[]
}

export function createTimeHeap<Member extends HeapLinks>(): TimeHeap<Member> {
  return { members: [] }
}

/** The earliest member, which stays in; undefined when there is none. */
export function earliest<Member extends HeapLinks>(heap: TimeHeap<Member>): Member | undefined {
  return heap.members[0]
}

/** Adds a member that is in no heap. */
export function addToHeap<Member extends HeapLinks>(heap: TimeHeap<Member>, member: Member): void {
  rise(heap, member, heap.members.length)
}

/** Removes a member of this heap. */
export function removeFromHeap<Member extends HeapLinks>(
  heap: TimeHeap<Member>,
  member: Member,
): void {
  const last = heap.members.pop()
  if (last === undefined || last === member) return
  // The last one fills the gap, from where it may have to move either way.
  const gap = member.heapIndex
  const parent = heap.members[(gap - 1) >> 1]
  if (parent !== undefined && parent.wakeAt > last.wakeAt) rise(heap, last, gap)
  else sink(heap, last, gap)
}

function rise<Member extends HeapLinks>(
  heap: TimeHeap<Member>,
  member: Member,
  from: number,
): void {
  const { members } = heap
  let index = from
  while (index > 0) {
    const parentIndex = (index - 1) >> 1
    const parent = members[parentIndex]
    if (parent === undefined || parent.wakeAt <= member.wakeAt) break
    place(members, parent, index)
    index = parentIndex
  }
  place(members, member, index)
}

function sink<Member extends HeapLinks>(
  heap: TimeHeap<Member>,
  member: Member,
  from: number,
): void {
  const { members } = heap
  let index = from
  for (;;) {
    const left = members[2 * index + 1]
    const right = members[2 * index + 2]
    const child = left && right && right.wakeAt < left.wakeAt ? right : left
    if (child === undefined || child.wakeAt >= member.wakeAt) break
    const childIndex = child.heapIndex
    place(members, child, index)
    index = childIndex
  }
  place(members, member, index)
}

function place<Member extends HeapLinks>(members: Member[], member: Member, index: number): void {
  members[index] = member
  member.heapIndex = index
}

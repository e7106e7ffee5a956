import type { Campaign } from '../core/campaign.ts'
import type { Endpoint } from '../core/endpoint.ts'
import { AppError } from '../core/errors.ts'
import type { Project } from '../core/project.ts'
import type { Rotation } from '../core/rotation.ts'
import type { Reads } from '../storage/storage.ts'

/** The thing or the refusal `not_found`: every action begins with one of these. */
export async function loadProject(reads: Reads, projectId: string): Promise<Project> {
  return (await reads.getProject(projectId)) ?? missing('project', projectId)
}

export async function loadEndpoint(
  reads: Reads,
  projectId: string,
  ref: string,
): Promise<Endpoint> {
  return (await reads.getEndpoint(projectId, ref)) ?? missing('endpoint', ref)
}

export async function loadRotation(
  reads: Reads,
  endpointId: string,
  rotationId: string,
): Promise<Rotation> {
  return (await reads.getRotation(endpointId, rotationId)) ?? missing('rotation', rotationId)
}

export async function loadCampaign(reads: Reads, campaignId: string): Promise<Campaign> {
  return (await reads.getCampaign(campaignId)) ?? missing('campaign', campaignId)
}

export function missing(what: string, ref: string): never {
  throw new AppError('not_found', { detail: `There is no ${what} ${ref} here.` })
}

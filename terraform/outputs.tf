output "hosts" {
  description = "Single hosts by tier: instance, address, interface, subnet, security group, tags. The inventory is made of it."
  value       = module.compute.hosts
}

output "groups" {
  description = "Auto-scaling groups by tier: name, the address where callers find them, tags."
  value       = module.compute.groups
}

output "addresses" {
  description = "Where callers find each tier: host or load balancer, without port."
  value = merge(
    { for tier, host in module.compute.hosts : tier => host.private_ip },
    { for tier, group in module.compute.groups : tier => split(":", group.address)[0] },
  )
}

output "public_ips" {
  description = "Public addresses by tier; the edge's goes into the portal's DNS name."
  value       = module.compute.public_ips
}

output "vpc" {
  description = "The VPC: id, addresses, subnets by reach and zone."
  value       = { id = module.network.vpc_id, cidr = var.vpc_cidr, subnets = module.network.subnets }
}

output "network_rules" {
  description = "Rules of the network matrix that are in force, by from-to-port."
  value       = module.security.rules
}

output "stores" {
  description = "What Ansible tells the tiers: store, model registry, queue of incoming files, database, cache, role and folder of HealthImaging."
  value = {
    store_url       = "s3://${module.storage.studies_bucket.name}"
    model_store_url = "s3://${module.storage.models_bucket}"
    incoming_queue  = module.ingest.queue_url
    database        = module.storage.database
    cache_address   = module.storage.cache_address
    healthimaging   = module.security.healthimaging
  }
}

output "pipeline" {
  description = "What the GitHub workflow needs: its role, the registries, the document that deploys."
  value       = { role_arn = module.security.pipeline_role_arn, registries = module.storage.registries, document = "${var.name}-deploy" }
}

output "log_groups" {
  description = "CloudWatch log groups by tier."
  value       = module.observability.log_groups
}

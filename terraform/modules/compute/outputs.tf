output "hosts" {
  description = "Single hosts by tier: instance, address, subnet, data disk and tags."
  value = {
    for tier, host in aws_instance.host : tier => {
      id          = host.id
      arn         = host.arn
      private_ip  = aws_network_interface.host[tier].private_ip
      interface   = aws_network_interface.host[tier].id
      subnet_id   = aws_network_interface.host[tier].subnet_id
      subnet_cidr = one([for subnet in var.subnets[var.reach[tier]] : subnet.cidr if subnet.id == aws_network_interface.host[tier].subnet_id])
      group_id    = var.security_groups[tier]
      reach       = var.reach[tier]
      data_volume = try(aws_ebs_volume.data[tier].id, null)
      tags        = local.tags[tier]
    }
  }
}

output "groups" {
  description = "Auto-scaling groups by tier, and where callers find them."
  value = {
    for tier, group in aws_autoscaling_group.tier : tier => {
      name    = group.name
      address = "${aws_lb.internal[0].dns_name}:${var.ports[tier]}"
      tags    = local.tags[tier]
    }
  }
}

output "public_ips" {
  description = "Public addresses by tier; the edge's is the portal's."
  value       = { for tier, address in aws_eip.public : tier => address.public_ip }
}

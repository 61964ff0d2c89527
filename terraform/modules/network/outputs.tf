output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "s3_prefix_list_id" {
  description = "Addresses of S3, as security groups name them."
  value       = aws_vpc_endpoint.s3.prefix_list_id
}

output "s3_endpoint_id" {
  description = "The gateway that buckets may be bound to."
  value       = aws_vpc_endpoint.s3.id
}

output "subnets" {
  description = "Subnets by reach and zone: id, addresses and availability zone."
  value = {
    public  = { for zone, subnet in aws_subnet.public : zone => { id = subnet.id, cidr = subnet.cidr_block, zone = subnet.availability_zone } }
    private = { for zone, subnet in aws_subnet.private : zone => { id = subnet.id, cidr = subnet.cidr_block, zone = subnet.availability_zone } }
  }
}
